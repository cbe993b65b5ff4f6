//! The systemd units, judged by systemd itself.

use std::fs;

use super::{check::Judge, generate::services};
use crate::workspace::Outcome;

/// What a unit may be exposed to, in `systemd-analyze security`'s tenths; 100 is everything.
const EXPOSURE: &str = "20";

impl Judge<'_> {
    /// The units, and the environment files they read.
    pub fn systemd(&self) -> Outcome {
        // systemd looks whether programs and files are there; so a root of its own, with stand-ins.
        let root = self.scratch.path().join("root");
        let units = root.join("etc/systemd/system");
        fs::create_dir_all(&units)?;
        for folder in ["usr/bin", "usr/lib/systemd/system"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let program = root.join("usr/bin/souk");
        fs::copy("/bin/true", &program)?;
        for stand_in in [
            "network-online.target",
            "multi-user.target",
            "sysinit.target",
            "basic.target",
            "shutdown.target",
            "system.slice",
            "-.slice",
        ] {
            fs::write(
                root.join("usr/lib/systemd/system").join(stand_in),
                "[Unit]\nDefaultDependencies=no\n",
            )?;
        }
        let files = [
            "souk.target",
            "souk@.service",
            "souk-migrate.service",
            "souk-sandbox.service",
        ];
        for file in files {
            fs::copy(self.path("systemd").join(file), units.join(file))?;
        }
        let root_option = format!("--root={}", root.display());
        for unit in [
            "souk.target",
            "souk@orders-1.service",
            "souk-migrate.service",
            "souk-sandbox.service",
        ] {
            let mut verify = self.tools.command("systemd-analyze");
            let judged = verify
                .args(["verify", "--man=no", &root_option, unit])
                .output()?;
            let said = String::from_utf8_lossy(&judged.stderr);
            if !judged.status.success() || !said.trim().is_empty() {
                return Err(format!("{unit}: {said}").into());
            }
            if unit.ends_with(".service") {
                let mut security = self.tools.command("systemd-analyze");
                security.args(["security", "--no-pager", "--offline=true", &root_option]);
                security.arg(format!("--threshold={EXPOSURE}")).arg(unit);
                let judged = security.output()?;
                if !judged.status.success() {
                    let said = String::from_utf8_lossy(&judged.stdout).into_owned();
                    return Err(format!("{unit} may do too much:\n{said}").into());
                }
            }
        }
        for name in services(self.graph).chain(["gateway"]) {
            let environment = self.text(&format!("systemd/etc/{name}-1.env"))?;
            if !environment.contains(&format!("SOUK_RUN={name}")) {
                return Err(format!("{name}-1.env does not run {name}").into());
            }
        }
        Ok(())
    }
}
