// Gives the card to the payment provider and puts the token it answers into the form. The card's
// inputs have no name: browsers never send them to the shop.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const form = byId("checkout-form");
  const fields = byId("card-form");
  const picked = byId("test-card");
  const token = byId("token");
  const button = byId("place-order");
  const mistake = byId("card-mistake");
  const [number, expiry, cvc] = ["card-number", "card-expiry", "card-cvc"].map(byId);
  const inputs = { "card.number": number, "card.exp_month": expiry, "card.exp_year": expiry, "card.cvc": cvc };

  const useCard = new Option("Use the card above", "");
  picked.prepend(useCard);
  if (!picked.querySelector("option[selected]")) picked.value = "";
  byId("test-card-label").textContent = "Or pick a test card";
  byId("card-kept").hidden = !token.value;
  fields.hidden = false;
  byId("errors")?.focus();

  const busy = (on) => {
    button.disabled = on;
    form.setAttribute("aria-busy", String(on));
  };

  const complain = (text, input) => {
    mistake.textContent = text;
    mistake.hidden = false;
    busy(false);
    if (input) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", mistake.id);
    }
    (input || number).focus();
  };

  const card = () => {
    const [month, year] = expiry.value.split(/[\/\-. ]+/);
    return {
      number: number.value.replace(/[ \-]/g, ""),
      exp_month: Number.parseInt(month, 10) || 0,
      exp_year: Number.parseInt(year, 10) || 0,
      cvc: cvc.value.trim(),
    };
  };

  const exchange = async () => {
    const answer = await fetch(form.dataset.provider + "/v1/tokens", {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: "Bearer " + form.dataset.key },
      body: JSON.stringify({ card: card() }),
      credentials: "omit",
    });
    const body = await answer.json();
    if (answer.ok && typeof body.token === "string") return body.token;
    const field = inputs[body.field];
    const label = field && field.labels[0] ? field.labels[0].textContent + ": " : "";
    throw Object.assign(new Error(label + (body.detail || "The card was not accepted.")), { field, told: true });
  };

  form.addEventListener("submit", async (event) => {
    mistake.hidden = true;
    for (const input of [number, expiry, cvc]) input.removeAttribute("aria-invalid");
    const typed = number.value.trim() !== "";
    if (picked.value || (token.value && !typed)) {
      busy(true);
      return;
    }
    event.preventDefault();
    if (button.disabled) return;
    if (!typed) return complain("Please enter a card number, or pick a test card.", number);
    busy(true);
    try {
      token.value = await exchange();
      form.submit();
    } catch (error) {
      complain(error.told ? error.message : "The payment provider cannot be reached. Please try again in a moment.", error.field);
    }
  });

  // Back from the order's page: the button must work again.
  window.addEventListener("pageshow", () => busy(false));
})();
