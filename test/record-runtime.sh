#!/usr/bin/env bash
# record-runtime.sh DIR : records what breakwater-sensor says of real containers,
# for the tests of the runtime rules. Needs root, runc, busybox (static), python3.
# Each scene's file holds the records of that scene's container alone.
set -euo pipefail
out=$(realpath "${1:?want a folder}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
sensor=
trap 'kill $sensor 2>/dev/null; for c in $(runc list -q); do case $c in scene-*) runc delete -f "$c";; esac; done; rm -rf "$work"' EXIT
go build -o "$work/breakwater-sensor" ./cmd/breakwater-sensor
"${SENSOR:-$work/breakwater-sensor}" --stdout --node worker-1 >"$work/all.jsonl" 2>"$work/log" &
sensor=$!
until [ -s "$work/all.jsonl" ]; do /bin/true; sleep 0.2; done # it sees

# bundle NAME PRIVILEGED CGROUP ARGS… : a container of busybox, with python3 of this machine.
bundle() {
	local b=$work/$1
	mkdir -p "$b/rootfs"/{bin,etc,tmp,proc,dev,sys,usr,lib,lib64,www/cgi-bin,app}
	cp /bin/busybox "$b/rootfs/bin/busybox"
	for a in sh httpd wget id cat sleep ls mount env timeout; do ln -sf busybox "$b/rootfs/bin/$a"; done
	printf '#!/bin/sh\necho "Content-Type: text/plain"\necho\nsh -c "$QUERY_STRING"\n' >"$b/rootfs/www/cgi-bin/run.cgi"
	printf '#!/bin/sh\nls /www >/dev/null\nenv >/dev/null\nexec httpd -f -p 8080 -h /www\n' >"$b/rootfs/app/entrypoint.sh"
	cat >"$b/rootfs/app/server.py" <<-'PY'
		import http.server, os, subprocess, urllib.parse
		os.system("ulimit -n >/dev/null")  # what programs ask while they start
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(subprocess.run(urllib.parse.unquote(self.path[1:]), shell=True, capture_output=True).stdout)
		http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
	PY
	chmod +x "$b/rootfs/www/cgi-bin/run.cgi" "$b/rootfs/app/entrypoint.sh"
	(cd "$b" && rm -f config.json && runc spec)
	python3 - "$b/config.json" "$2" "$3" "${@:4}" <<-'PY'
		import json, re, sys
		file, privileged, group, args = sys.argv[1], sys.argv[2] == "privileged", sys.argv[3], sys.argv[4:]
		c = json.load(open(file))
		# The usual default, or all that this machine has to give.
		have = int(re.search(r"CapBnd:\s*(\S+)", open("/proc/self/status").read())[1], 16)
		names = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
		    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
		    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD "
		    "LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN "
		    "SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()
		usual = ("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
		    "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE").split()
		caps = ["CAP_" + n for i, n in enumerate(names) if have >> i & 1 and (privileged or n in usual)]
		c["process"]["capabilities"] = {k: caps for k in ("bounding", "effective", "permitted")}
		c["process"].update(terminal=False, args=args, env=["PATH=/bin:/usr/bin"], noNewPrivileges=False)
		c["root"]["readonly"] = False
		c["linux"]["cgroupsPath"] = group
		for path in ("/usr", "/lib", "/lib64"):
		    c["mounts"].append({"destination": path, "source": path, "type": "bind", "options": ["rbind", "ro"]})
		json.dump(c, open(file, "w"))
	PY
}

# id NAME : 64 hexadecimal digits, always the same.
id() { printf %s "$1" | sha256sum | cut -c1-64; }
pod() { echo "/kubepods/burstable/pod0f0e0d0c-0b0a-4908-8706-050403020100/$(id "$1")"; }
start() { runc run -d --bundle "$work/$1" "scene-$1" </dev/null >/dev/null 2>&1; }
enter() { runc exec "scene-$1" "${@:2}" >/dev/null; }
finish() { # NAME [ID]
	runc kill "scene-$1" KILL
	sleep 1 # the sensor reads ten times a second
	runc delete -f "scene-$1"
	grep -F "\"container\":{\"id\":\"${2:-$(id "$1")}\"" "$work/all.jsonl" | grep -F '"kind":"exec"' >"$out/$1.jsonl"
}

bundle privileged-entered privileged "$(pod privileged-entered)" sleep 600
start privileged-entered
enter privileged-entered sh -c 'id; mount'
finish privileged-entered

bundle usual-entered usual "$(pod usual-entered)" sleep 600
start usual-entered
enter usual-entered sh -c 'id; ls /'
finish usual-entered

bundle node-privileged privileged "/docker/$(id node-privileged)" sh -c 'id; sleep 600'
start node-privileged
finish node-privileged

# ctr run --privileged IMAGE night-shift: a name that a person chose, in the namespace default.
bundle node-named privileged /default/night-shift sh -c 'id; sleep 600'
start node-named
finish node-named night-shift

bundle node-usual usual "/docker/$(id node-usual)" sh -c 'id; sleep 600'
start node-usual
finish node-usual

bundle web-shell usual "$(pod web-shell)" httpd -f -p 8080 -h /www
start web-shell
enter web-shell wget -q -O /dev/null 'http://127.0.0.1:8080/cgi-bin/run.cgi?id'
finish web-shell

bundle python-shell usual "$(pod python-shell)" /usr/bin/python3 /app/server.py
start python-shell
sleep 12 # a runtime is a server when it has run for ten seconds
enter python-shell wget -q -O /dev/null 'http://127.0.0.1:8080/id;cat%20/etc/passwd'
finish python-shell

bundle python-starts usual "$(pod python-starts)" /usr/bin/python3 /app/server.py
start python-starts
sleep 2
finish python-starts

bundle entrypoint usual "$(pod entrypoint)" /app/entrypoint.sh
start entrypoint
enter entrypoint sh -c 'wget -q -O /dev/null http://127.0.0.1:8080/ || true' # as a probe does
finish entrypoint
