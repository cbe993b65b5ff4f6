//! The command lines of the shop's processes, as an operator would write them.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    engines::database,
    error::{Doing as _, Result},
    links::Links,
    process::Plan,
    schedule::{GATEWAY, INSTANCES, Link, SERVICES, Slot},
    world::Config,
};

/// An order that is not confirmed so long after its checkout is given up, seconds.
const CONFIRM_WITHIN: u32 = 4;
/// A provider call without an answer for so long is given up, milliseconds.
const PROVIDER_PATIENCE: u32 = 600;

/// Writes the two peers files: gateways reach services by routes, services reach histories.
pub fn write_peers(folder: &Path, links: &Links) -> Result<()> {
    type LinkTo = fn(Slot) -> Link;
    for (file, link) in [
        ("gateway.toml", Link::Route as LinkTo),
        ("services.toml", Link::Feed as LinkTo),
    ] {
        let mut text = String::new();
        for service in SERVICES {
            let urls: Vec<String> = (1..=INSTANCES)
                .map(|number| links.address(link(Slot { service, number })))
                .map(|address| format!("\"http://{address}\""))
                .collect();
            let urls = urls.join(", ");
            let _ = writeln!(text, "[services.{service}]\nurls = [{urls}]");
        }
        let path = folder.join(file);
        std::fs::write(&path, text).doing(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The databases as a process sees them: both servers behind proxies, the writable one is found.
fn through_proxies(links: &Links, slot: Slot, database: &str) -> String {
    let hosts: Vec<String> = links
        .addresses(Link::Database(slot))
        .iter()
        .map(ToString::to_string)
        .collect();
    format!(
        "postgres://postgres@{}/{database}?application_name={slot}&target_session_attrs=read-write&connect_timeout=2",
        hosts.join(",")
    )
}

/// A process of the shop.
pub fn of_slot(config: &Config, folder: &Path, links: &Links, slot: Slot) -> Plan {
    let gateway = slot.service == GATEWAY;
    let peers = if gateway {
        "gateway.toml"
    } else {
        "services.toml"
    };
    let mut args = vec!["run".to_owned(), slot.service.to_owned()];
    let mut add = |name: &str, value: String| args.extend([format!("--{name}"), value]);
    add("slot", slot.to_string());
    add("listen", "127.0.0.1:0".into());
    add(
        "events",
        format!("nats://{}", links.address(Link::Broker(slot))),
    );
    add("peers", shown(&folder.join(peers)));
    add(
        "address-file",
        shown(&address_file(folder, &slot.to_string())),
    );
    add("lease-ms", config.lease_ms.to_string());
    add("clock-offset-file", shown(&clock_file(folder, slot)));
    add(
        "provider",
        format!("http://{}", links.address(Link::Provider)),
    );
    if !gateway {
        add("database", through_proxies(links, slot, "{service}"));
        add(
            "keyring",
            through_proxies(links, slot, &database("keyring")),
        );
        add("confirm-within-seconds", CONFIRM_WITHIN.to_string());
        add("provider-timeout-ms", PROVIDER_PATIENCE.to_string());
    }
    if slot.service == "payments" {
        add("provider-keys", shown(&keys_file(folder)));
    }
    if slot.service == "identity" && slot.number == 1 {
        add("api-key-file", shown(&key_file(folder)));
    }
    plan(config, folder, slot.to_string(), args)
}

/// The payment provider.
pub fn provider(config: &Config, folder: &Path, links: &Links) -> Plan {
    let shop = format!("http://{}", links.address(Link::Webhooks));
    let name = "provider".to_owned();
    let args = [
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &shown(&folder.join("provider")),
        "--shop",
        &shop,
        "--address-file",
        &shown(&address_file(folder, &name)),
    ];
    plan(config, folder, name, args.map(str::to_owned).to_vec())
}

/// Brings all databases up to date, before anything is started.
pub fn migration(config: &Config, folder: &Path, url: impl Fn(&str) -> String) -> Plan {
    let services = url("souk_catalog").replace("souk_catalog", "{service}");
    let keyring = url(&database("keyring"));
    let args = ["migrate", "--database", &services, "--keyring", &keyring];
    let args = args.map(str::to_owned).to_vec();
    plan(config, folder, "migrate".into(), args)
}

fn plan(config: &Config, folder: &Path, name: String, args: Vec<String>) -> Plan {
    let mut environment = vec![
        ("SOUK_CLUSTER_SECRET".to_owned(), "chaos".repeat(8)),
        ("SOUK_LOG".to_owned(), config.log.clone()),
        ("RUST_BACKTRACE".to_owned(), "1".to_owned()),
    ];
    if let Some(bug) = &config.bug {
        environment.push(("SOUK_CHAOS_BUG".to_owned(), bug.clone()));
    }
    Plan {
        program: config.souk.clone(),
        args,
        environment,
        log: folder.join("logs").join(format!("{name}.log")),
        address_file: address_file(folder, &name),
        name,
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn address_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.address"))
}

/// The milliseconds by which a process's clock is wrong.
pub fn clock_file(folder: &Path, slot: Slot) -> PathBuf {
    folder.join(format!("{slot}.clock"))
}

/// The provider's keys.
pub fn keys_file(folder: &Path) -> PathBuf {
    folder.join("provider").join("keys.json")
}

/// The API key of the shop's staff.
pub fn key_file(folder: &Path) -> PathBuf {
    folder.join("api-key")
}
