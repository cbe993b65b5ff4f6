// Follows an order: when the shop says that something changed, the part of this page that shows the
// order's state is fetched anew. All words are made on the server.
(() => {
  "use strict";
  const order = document.getElementById("order");
  const live = () => document.getElementById("order-live");
  const settled = () => live().dataset.settled === "yes";
  let asking = false;
  let again = false;
  let source = null;
  let timer = null;

  const stop = () => {
    if (source) source.close();
    clearInterval(timer);
  };

  const refresh = async () => {
    // One question at a time; what changes meanwhile is asked for right after.
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("order-live");
        if (fresh && fresh.innerHTML !== live().innerHTML) live().replaceWith(document.adoptNode(fresh));
      }
    } catch {
      // Offline for a moment: the next event or the timer tries again.
    }
    asking = false;
    if (settled()) stop();
    else if (again) {
      again = false;
      refresh();
    }
  };

  const poll = () => {
    if (!timer && !settled()) timer = setInterval(refresh, 4000);
  };

  if (!settled()) {
    if (window.EventSource) {
      source = new EventSource(order.dataset.events);
      // `open`: what changed between the making of this page and the start of the stream.
      for (const name of ["open", "update", "end"]) source.addEventListener(name, refresh);
      // Refused for good (a broken connection is taken up again by the browser itself).
      source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED) poll();
      });
    } else poll();
  }
})();
