"""The container engine, told what to do by its command line; and the images, made without a registry."""
import json
import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MB = 1_000_000
SERVICES = ("grid", "business-environment-monitor", "gateway")


def say(text):
    print(text, flush=True)


def run(*command, **options):
    """Runs a command, whose output is answered with; where it fails, its output is shown and the proof ends."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} → {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def wait(what, until, seconds=60):
    """Waits until a condition holds, and answers how many seconds that took."""
    start = time.monotonic()
    while not until():
        if time.monotonic() - start > seconds:
            raise SystemExit(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - start


def find_docker():
    """A docker command with BuildKit, which chooses stages: version 18.09 to 22 has it built in, later ones as the plugin buildx."""
    for docker in filter(None, (os.environ.get("DOCKER"), shutil.which("docker"), "/usr/bin/docker")):
        asked = subprocess.run([docker, "version", "--format", "{{.Client.Version}}"], capture_output=True, text=True)
        built_in = asked.returncode == 0 and int(asked.stdout.split(".")[0]) < 23
        if built_in or subprocess.run([docker, "buildx", "version"], capture_output=True).returncode == 0:
            return docker
    return None


def find_compose(docker):
    if subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0:
        return f"{docker} compose"
    return shutil.which("docker-compose")


def check():
    """What the proof needs of the machine; what is missing is named with how to get it."""
    missing = []
    if os.getuid() != 0:
        missing.append("root（须以 root 运行 / must be run as root）")
    docker = find_docker()
    if docker is None:
        missing.append("docker with BuildKit: apt-get install docker.io docker-compose")
    elif subprocess.run([docker, "info"], capture_output=True).returncode != 0:
        missing.append("a running engine: service docker start, or dockerd &")
    compose = docker and find_compose(docker)
    if docker and not compose:
        missing.append("compose: apt-get install docker-compose, or the plugin docker-compose-v2")
    for command, package in (("openssl", "openssl"), ("strip", "binutils"), ("npm", "npm")):
        if not shutil.which(command):
            missing.append(f"{command}: apt-get install {package}")
    if "RUN_BASE" not in os.environ and not shutil.which("debootstrap"):
        missing.append("debootstrap (apt-get install debootstrap), or RUN_BASE=debian:bookworm-slim where a registry can be reached")
    if missing:
        raise SystemExit("缺少 / missing:\n  " + "\n  ".join(missing))
    return docker, compose


class Images:
    """The images of one proof: those of the suite have its own name and go with it; the base and what is made of Debian's packages
    alone are kept for the next."""

    def __init__(self, docker, name, folder):
        self.docker, self.name, self.folder = docker, name, folder
        self.base = os.environ.get("RUN_BASE") or self.make_base()
        self.postgres = os.environ.get("POSTGRES_IMAGE") or self.make_of_packages("postgres")
        self.prometheus = os.environ.get("PROMETHEUS_IMAGE") or self.make_of_packages("prometheus")

    def known(self, image):
        return subprocess.run([self.docker, "image", "inspect", image], capture_output=True).returncode == 0

    def make_base(self):
        """Debian as debian:bookworm-slim is made: debootstrap's minimum without documents and lists of packages."""
        image = "jingwei-proof/base:bookworm"
        if self.known(image):
            return image
        say("base: debootstrap")
        root = self.folder / "base"
        sites = run("apt-get", "indextargets", "--format", "$(SITE)", "Codename: bookworm", "Component: main").split()
        run("debootstrap", "--variant=minbase", "bookworm", root, sites[0] if sites else "http://deb.debian.org/debian")
        for heavy in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
                      "var/cache/debconf", "var/log"):
            for path in (root / heavy).glob("*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        archive = self.folder / "base.tar"
        run("tar", "--create", "--numeric-owner", "--directory", root, "--file", archive, ".")
        run(self.docker, "import", archive, image)
        shutil.rmtree(root)
        return image

    def make_of_packages(self, name):
        image = f"jingwei-proof/{name}:bookworm"
        if not self.known(image):
            say(f"{name}: Debian's packages")
            # The host's network: a machine that reaches its mirror in a way of its own reaches it so from here, too.
            self.build("--network=host", "--build-arg", f"RUN_BASE={self.base}", "--file", HERE / f"{name}.Dockerfile", "--tag", image, HERE)
        return image

    def build(self, *arguments):
        run(self.docker, "build", *arguments, env={**os.environ, "DOCKER_BUILDKIT": "1"})

    def make_suite(self, version, programs, newest):
        """The images of a version, by the Dockerfile, from programs that were built on this Debian release."""
        context = self.folder / version
        docs = context / "dist/docs"
        docs.mkdir(parents=True)
        for service in SERVICES:
            program = programs / f"jingwei-{service}"
            # A version that did not have the service yet is given the newest one's.
            run("strip", "-o", context / "dist" / service, program if program.exists() else newest / program.name)
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", context / "dist")
        page = ROOT / "gateway/docs-page/node_modules/swagger-ui-dist"
        if not page.exists():
            run("npm", "ci", "--prefix", ROOT / "gateway/docs-page", "--silent", "--no-audit", "--no-fund")
        for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "LICENSE", "NOTICE"):
            shutil.copy(page / name, docs)
        for service in SERVICES:
            self.build("--build-arg", "PARTS=prebuilt", "--build-arg", f"RUN_BASE={self.base}", "--file", ROOT / "Dockerfile",
                       "--target", service, "--tag", f"{self.name}/{service}:{version}", context)

    def size(self, image):
        return int(run(self.docker, "image", "inspect", "--format", "{{.Size}}", image))

    def beside_base(self, version):
        """Bytes of each image beside the base."""
        base = self.size(self.base)
        return {s: self.size(f"{self.name}/{s}:{version}") - base for s in SERVICES}

    def remove(self):
        names = run(self.docker, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={self.name}/*").split()
        if names:
            run(self.docker, "image", "rm", *names)


class Suite:
    """One compose project, with volumes and a port of its own."""

    def __init__(self, docker, compose, images, project, version, secrets, ports):
        self.docker, self.project = docker, project
        self.port, self.watch_port = ports
        self.compose_command = compose.split()
        self.env = {**os.environ, "COMPOSE_PROJECT_NAME": project, "COMPOSE": compose, "REGISTRY": images.name, "VERSION": version,
                    "POSTGRES_IMAGE": images.postgres, "SECRETS": str(secrets), "LISTEN": f"127.0.0.1:{self.port}",
                    "PROMETHEUS_IMAGE": images.prometheus, "PROMETHEUS_PORT": str(self.watch_port), "JWT_ISSUER": "proof", "CPUS": str(min(2, os.cpu_count()))}

    def compose(self, *arguments, **options):
        return run(*self.compose_command, *arguments, cwd=ROOT, env=self.env, **options)

    def start(self, version, *services, fresh=True):
        """Starts services (all where none is named) with the images of a version."""
        self.env["VERSION"] = version
        self.compose("up", "-d", "--no-build", *([] if fresh else ["--no-deps"]), *services)

    def id(self, service):
        labels = {"project": self.project, "service": service, "oneoff": "False"}
        filters = [part for name, value in labels.items() for part in ("--filter", f"label=com.docker.compose.{name}={value}")]
        return run(self.docker, "ps", "--all", "--quiet", *filters).strip()

    def state(self, service):
        return json.loads(run(self.docker, "inspect", "--format", "{{json .State}}", self.id(service)))

    def healthy(self, *services):
        states = [self.state(s) for s in services]
        return all(s["Running"] and s.get("Health", {}).get("Status") == "healthy" for s in states)

    def kill(self, service):
        """Kills the main process as the kernel would: `docker kill` counts as an operator's wish, after which nothing is restarted."""
        before = self.state(service)
        os.kill(before["Pid"], 9)
        wait(f"{service} runs again", lambda: self.state(service)["Running"] and self.state(service)["StartedAt"] != before["StartedAt"])

    def sql(self, statement, database="jingwei_grid"):
        return self.compose("exec", "-T", "postgres", "psql", "-U", "postgres", "-d", database, "-Atc", statement).strip()

    def memory(self, service):
        """Bytes that a container's cgroup is charged for, without file pages that can be dropped at once: what `docker stats` shows."""
        pid = self.state(service)["Pid"]
        lines = pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        groups = {kind: path for _, kind, path in (line.split(":", 2) for line in lines)}
        if "memory" in groups:
            folder = pathlib.Path("/sys/fs/cgroup/memory" + groups["memory"])
            usage, inactive = "memory.usage_in_bytes", "total_inactive_file"
        else:
            folder = pathlib.Path("/sys/fs/cgroup" + groups[""])
            usage, inactive = "memory.current", "inactive_file"
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int((folder / usage).read_text()) - int(stat[inactive])

    def resident(self, service):
        """Bytes of the main process that are in memory, its program's pages included (VmRSS)."""
        status = pathlib.Path(f"/proc/{self.state(service)['Pid']}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024

    def logs(self):
        return subprocess.run([*self.compose_command, "logs", "--no-color", "--tail", "40"], cwd=ROOT, env=self.env,
                              capture_output=True, text=True).stdout

    def down(self):
        self.compose("--profile", "monitoring", "down", "--volumes", "--timeout", "5", "--remove-orphans")
