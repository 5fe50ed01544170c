//! A server on the loopback interface that answers as a test says. GitHub itself is out of a test's reach: what it answers
//! here has the shapes that its documentation shows (REST API version 2022-11-28).

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Nothing is sent at all, and the connection stays open.
    pub(crate) silent: bool,
}

impl Answer {
    pub(crate) fn json(body: impl ToString) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.to_string(),
            silent: false,
        }
    }

    pub(crate) fn status(status: u16, message: &str) -> Self {
        Self {
            status,
            ..Self::json(
                serde_json::json!({"message": message, "documentation_url": "https://docs.github.com/rest"}),
            )
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

type Script = dyn Fn(&str, usize) -> Answer + Send + Sync;

/// The server, and what it was asked.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers each request with what `script` says of its path and of how often that path was asked before.
    pub(crate) fn start(script: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, known): (Arc<Script>, _) = (Arc::new(script), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, known) = (script.clone(), known.clone());
                std::thread::spawn(move || serve(stream, &*script, &known));
            }
        });
        Self { address, asked }
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, script: &Script, known: &Mutex<Vec<Asked>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let path = lines.first()?.split(' ').nth(1)?.to_owned();
        let headers = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let before = {
            let mut known = known.lock().unwrap();
            let before = known.iter().filter(|asked| asked.path == path).count();
            known.push(Asked {
                path: path.clone(),
                headers,
            });
            before
        };
        let answer = script(&path, before);
        if answer.silent {
            // The client hangs up first.
            std::thread::sleep(Duration::from_secs(30));
            return None;
        }
        let mut head = format!(
            "HTTP/1.1 {} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all(format!("{head}\r\n{}", answer.body).as_bytes())
            .ok()?;
    }
}
