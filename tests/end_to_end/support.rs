//! What the tests of the whole program share: a publisher's server on loopback, the program
//! itself, and a plain HTTP client.

use std::collections::HashMap;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What the publisher's server answers at a path.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These header lines and this body, or 304 if the request has that `ETag`.
    Document { status: &'static str, headers: String, etag: Option<String>, body: Vec<u8> },
    /// Nothing, until the client goes away.
    Silence,
}

impl Answer {
    /// A document without validators.
    pub(crate) fn document(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = format!("Content-Type: {content_type}\r\n");
        Self::Document { status: "200 OK", headers, etag: None, body: body.into() }
    }

    /// The same with an `ETag`.
    pub(crate) fn with_etag(mut self, tag: &str) -> Self {
        if let Self::Document { etag, .. } = &mut self {
            *etag = Some(tag.to_owned());
        }
        self
    }

    /// The same with one header line more.
    pub(crate) fn with_header(mut self, line: &str) -> Self {
        if let Self::Document { headers, .. } = &mut self {
            headers.extend([line, "\r\n"]);
        }
        self
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, other: &'static str) -> Self {
        if let Self::Document { status, .. } = &mut self {
            *status = other;
        }
        self
    }
}

/// A publisher's server on loopback. It ends with the test's process.
pub(crate) struct Publisher {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<HashMap<&'static str, Answer>>>,
}

impl Publisher {
    /// Starts a server that gives these answers.
    pub(crate) fn start(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: HashMap<_, _> = answers.into_iter().collect();
        let answers = Arc::new(Mutex::new(answers));
        let given = Arc::clone(&answers);
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (Arc::clone(&given), Arc::clone(&seen));
                thread::spawn(move || answer(stream, &answers, &seen));
            }
        });
        Self { address, requests, answers }
    }

    /// Gives another answer at a path from now on.
    pub(crate) fn put(&self, path: &'static str, answer: Answer) {
        self.answers.lock().unwrap().insert(path, answer);
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of the requests for a path, in their order.
    pub(crate) fn requests(&self, path: &str) -> Vec<String> {
        let start = format!("GET {path} ");
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|head| head.starts_with(&start)).cloned().collect()
    }
}

fn answer(
    mut stream: TcpStream,
    answers: &Mutex<HashMap<&'static str, Answer>>,
    seen: &Mutex<Vec<String>>,
) {
    let Some(head) = read_head(&mut stream) else { return };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let answer = answers.lock().unwrap().get(path).cloned();
    seen.lock().unwrap().push(head.clone());
    match answer {
        None => drop(stream.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )),
        Some(Answer::Silence) => drop(stream.read(&mut [0; 1])),
        Some(Answer::Document { status, headers, etag, body }) => {
            let tag = etag.map(|etag| format!("ETag: {etag}\r\n")).unwrap_or_default();
            let asked = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("if-none-match: ").map(str::to_owned)
            });
            let same = asked.is_some_and(|asked| tag.to_ascii_lowercase().contains(&asked));
            let head = if same {
                format!("HTTP/1.1 304 Not Modified\r\n{tag}Connection: close\r\n\r\n")
            } else {
                format!(
                    "HTTP/1.1 {status}\r\n{headers}{tag}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                )
            };
            // A client that has read enough goes away, which is an error to us and none to the test.
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(if same { b"" } else { &body });
        }
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// A folder with a feeds.toml and a state directory of its own.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
}

impl Folder {
    /// A folder with nothing in it.
    pub(crate) fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A folder with this feeds.toml. The listener takes any free port.
    pub(crate) fn with(feeds: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let site = "[site]\ntitle = \"Вісник\"\naddress = \"https://visnyk.example/\"\nlisten = \"127.0.0.1:0\"\n";
        // One publisher plays them all.
        let pause = "[polling]\nhost_pause = \"0s\"\n";
        let feeds = if feeds.contains("[polling]\n") {
            feeds.replace("[polling]\n", pause)
        } else {
            format!("{feeds}\n{pause}")
        };
        fs::write(directory.path().join("feeds.toml"), format!("{site}{feeds}")).unwrap();
        Self { directory }
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts a file into it.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// `visnyk` with these arguments, in this folder.
    pub(crate) fn visnyk(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("VISNYK_PROGRAM").map(PathBuf::from);
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_visnyk").into());
        let mut command = Command::new(program);
        command.current_dir(self.directory.path()).args(arguments);
        for variable in
            ["STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "NOTIFY_SOCKET", "VISNYK_LOG", "COLUMNS"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// Runs `visnyk poll` to its end.
    pub(crate) fn poll(&self) -> Output {
        self.visnyk(&["poll"]).output().unwrap()
    }

    /// Starts `visnyk run` and waits until it listens.
    pub(crate) fn run(&self) -> Daemon {
        Self::start(self.visnyk(&["run", "--log", "json"]), Stdio::null())
    }

    /// The same by a command of the test's own.
    pub(crate) fn run_command(&self, mut command: Command) -> Daemon {
        command.current_dir(self.directory.path());
        Self::start(command, Stdio::null())
    }

    /// The same with a directory that is kept as the site is; changed addresses go to `told`.
    pub(crate) fn run_exporting(&self, directory: &str, told: fs::File) -> Daemon {
        Self::start(self.visnyk(&["run", "--log", "json", "--export", directory]), told.into())
    }

    /// The same with a variable in its environment.
    pub(crate) fn run_with(&self, variable: &str, value: &Path) -> Daemon {
        let mut command = self.visnyk(&["run", "--log", "json"]);
        command.env(variable, value);
        Self::start(command, Stdio::null())
    }

    /// The same as a service manager starts it that listens for it: for readers, and for admins.
    pub(crate) fn run_handed(&self, readers: &TcpListener, admins: &TcpListener) -> Daemon {
        let mut command = self.handed(readers, "public:admin");
        let admins = OwnedFd::from(admins.try_clone().unwrap());
        command.env("LISTEN_FDS", "2");
        Self::start(command, admins.into())
    }

    /// `visnyk run` to which a socket is handed over, and its standard output too if two are told.
    pub(crate) fn handed(&self, socket: impl AsFd, names: &str) -> Command {
        let plain = self.visnyk(&["run", "--log", "json"]);
        let mut command = Command::new("sh");
        command.current_dir(self.directory.path());
        // Descriptors are handed over from the third on, and to one process only.
        let handing = "LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 4<&1 </dev/null >/dev/null";
        command.args(["-c", handing]).arg(plain.get_program()).args(plain.get_args());
        for (name, _) in plain.get_envs() {
            command.env_remove(name);
        }
        command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", names);
        command.stdin(socket.as_fd().try_clone_to_owned().unwrap());
        command
    }

    /// The same, so that a file that may grow no more is an error to it and not its end.
    pub(crate) fn run_heedless_of_limits(&self) -> Daemon {
        let plain = self.visnyk(&["run", "--log", "json"]);
        let mut command = Command::new("sh");
        command.current_dir(self.directory.path());
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
        command.arg(plain.get_program()).args(plain.get_args());
        for (name, _) in plain.get_envs() {
            command.env_remove(name);
        }
        Self::start(command, Stdio::null())
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(mut command: Command, stdout: Stdio) -> Daemon {
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let (found, address) = mpsc::channel();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some(rest) = line.split("listening at ").nth(1) {
                    let address = rest.split([',', '"']).next().unwrap().trim();
                    let _ = found.send(address.parse::<SocketAddr>().unwrap());
                }
                let mut log = lines.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let Ok(address) = address.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("visnyk does not listen: {}", log.lock().unwrap());
        };
        Daemon { child, address, log, reader: Some(reader) }
    }
}

/// A running `visnyk run`.
pub(crate) struct Daemon {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The status and the body at a path.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.get_as(path, "tests")
    }

    /// The same for a client with this User-Agent.
    pub(crate) fn get_as(&self, path: &str, agent: &str) -> (u16, String) {
        get(self.address, path, agent)
    }

    /// The body at a path as soon as `enough` is content with it.
    pub(crate) fn get_when(&self, path: &str, enough: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let (_, body) = self.get(path);
            if enough(&body) {
                return body;
            }
            assert!(start.elapsed() < PATIENCE, "{path} shows:\n{body}\nlog:\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// A connection on which nothing was said yet.
    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end: the status, and how long it took.
    pub(crate) fn wait(mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        let status = self.child.wait().unwrap();
        (status.code(), start.elapsed())
    }

    /// Waits for its end: all that it has logged.
    pub(crate) fn end(mut self) -> String {
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.log()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status and the body at a path of a server.
pub(crate) fn get(address: SocketAddr, path: &str, agent: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers = format!("Host: {address}\r\nUser-Agent: {agent}\r\nConnection: close\r\n");
    write!(stream, "GET {path} HTTP/1.1\r\n{headers}\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// A file of the repository.
pub(crate) fn repository_file(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
