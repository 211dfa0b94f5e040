package harborshop

// bundle is an image of the estate: a distribution's layer, a layer of packages
// on top, and the program's own files.
type bundle struct {
	name    string // repository:tag
	release string // a key of releases; empty for a program alone
	base    []pkg
	added   []pkg
	files   []string
	// platforms makes an index of several builds; linux/amd64 alone if empty.
	platforms []string
	// distroless keeps each package's record in a file of its own.
	distroless bool
}

// pkg is an installed package. Source is the name advisories use.
type pkg struct {
	name, version, source string
	files                 []string
}

// releases are os-release files as the distributions ship them, shortened.
var releases = map[string]string{
	"ubuntu-22.04": "PRETTY_NAME=\"Ubuntu 22.04.1 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.1 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n",
	"debian-11":    "PRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"11\"\nVERSION=\"11 (bullseye)\"\nVERSION_CODENAME=bullseye\nID=debian\n",
	"debian-12":    "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
	"alpine-3.18":  "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.18.3\nPRETTY_NAME=\"Alpine Linux v3.18\"\n",
}

var ubuntuBase = []pkg{
	{"base-files", "12ubuntu4.2", "", []string{"/etc/debian_version"}},
	{"bash", "5.1-6ubuntu1", "", []string{"/bin/bash"}},
	{"libc6", "2.35-0ubuntu3.1", "glibc", []string{"/lib/x86_64-linux-gnu/libc.so.6"}},
}

var debian11Base = []pkg{
	{"base-files", "11.1+deb11u5", "", []string{"/etc/debian_version"}},
	{"bash", "5.1-2+deb11u1", "", []string{"/bin/bash"}},
	{"zlib1g", "1:1.2.11.dfsg-2+deb11u2", "zlib", []string{"/lib/x86_64-linux-gnu/libz.so.1.2.11"}},
}

var debian12Base = []pkg{
	{"base-files", "12.4+deb12u5", "", []string{"/etc/debian_version"}},
	{"libc6", "2.36-9+deb12u7", "glibc", []string{"/lib/x86_64-linux-gnu/libc.so.6"}},
	{"tzdata", "2024a-0+deb12u1", "", []string{"/usr/share/zoneinfo/UTC"}},
}

var alpineOld = []pkg{
	{"musl", "1.2.4-r1", "musl", []string{"/lib/ld-musl-x86_64.so.1"}},
	{"busybox", "1.36.1-r0", "busybox", []string{"/bin/busybox"}},
	{"libcrypto3", "3.1.3-r0", "openssl", []string{"/lib/libcrypto.so.3"}},
	{"libssl3", "3.1.3-r0", "openssl", []string{"/lib/libssl.so.3"}},
}

var alpineNew = []pkg{
	{"musl", "1.2.4-r2", "musl", []string{"/lib/ld-musl-x86_64.so.1"}},
	{"busybox", "1.36.1-r5", "busybox", []string{"/bin/busybox"}},
	{"libcrypto3", "3.1.4-r5", "openssl", []string{"/lib/libcrypto.so.3"}},
	{"libssl3", "3.1.4-r5", "openssl", []string{"/lib/libssl.so.3"}},
}

// bundles are all images; README.md says what is wrong with each.
var bundles = []bundle{
	{name: "shop/storefront:2.4.1", release: "ubuntu-22.04", base: ubuntuBase, platforms: []string{"linux/amd64", "linux/arm64"},
		added: []pkg{{"libssl3", "3.0.2-0ubuntu1.6", "openssl", []string{"/usr/lib/x86_64-linux-gnu/libssl.so.3"}}, {"openssl", "3.0.2-0ubuntu1.6", "", []string{"/usr/bin/openssl"}}},
		files: []string{"/srv/storefront"}},
	{name: "shop/storefront:2.5.0", release: "ubuntu-22.04", base: ubuntuBase[:1],
		added: []pkg{{"libssl3", "3.0.2-0ubuntu1.15", "openssl", []string{"/usr/lib/x86_64-linux-gnu/libssl.so.3"}}},
		files: []string{"/srv/storefront"}},
	{name: "shop/checkout:5.0.3", release: "debian-11", base: debian11Base,
		added: []pkg{{"liblog4j2-java", "2.13.3-1", "apache-log4j2", []string{"/usr/share/java/log4j-core-2.13.3.jar"}}},
		files: []string{"/srv/checkout.jar"}},
	{name: "shop/receipts:1.9.0", release: "debian-11", base: debian11Base,
		added: []pkg{{"chromium", "106.0.5249.119-1~deb11u1", "", []string{"/usr/bin/chromium", "/usr/lib/chromium/chromium"}}},
		files: []string{"/srv/receipts.js"}},
	{name: "shop/catalog:3.1.0", release: "alpine-3.18", base: alpineOld,
		added: []pkg{{"libcurl", "8.3.0-r0", "curl", []string{"/usr/lib/libcurl.so.4.8.0"}}, {"nghttp2-libs", "1.55.1-r0", "nghttp2", []string{"/usr/lib/libnghttp2.so.14"}}},
		files: []string{"/srv/catalog"}},
	{name: "shop/thumbnails:0.8.2", release: "ubuntu-22.04", base: ubuntuBase,
		added: []pkg{{"libssl3", "3.0.2-0ubuntu1.6", "openssl", []string{"/usr/lib/x86_64-linux-gnu/libssl.so.3"}}},
		files: []string{"/srv/thumbnails"}},
	{name: "shop/session-cache:6.0.16", release: "debian-11", base: debian11Base,
		added: []pkg{{"redis-server", "5:6.0.16-1+deb11u1", "redis", []string{"/usr/bin/redis-check-rdb"}}}},
	{name: "shop/legacy-pricing:2011", files: []string{"/pricing"}},
	{name: "platform/edge-proxy:2.4.54", release: "debian-11", base: debian11Base,
		added: []pkg{{"apache2", "2.4.54-1~deb11u1", "", []string{"/usr/sbin/apache2ctl"}}, {"apache2-bin", "2.4.54-1~deb11u1", "apache2", []string{"/usr/sbin/apache2"}}}},
	{name: "platform/log-shipper:1.2.0", release: "debian-12", base: debian12Base, files: []string{"/usr/local/bin/log-shipper"}},
	{name: "payments/ledger:4.2.0", release: "debian-12", base: debian12Base,
		added: []pkg{{"openssh-server", "1:9.2p1-2+deb12u2", "openssh", []string{"/usr/sbin/sshd"}}}, files: []string{"/srv/ledger"}},
	{name: "loyalty/api:1.4.0", release: "debian-12", base: debian12Base, distroless: true, files: []string{"/app/loyalty"}},
	{name: "loyalty/web:1.4.0", release: "alpine-3.18", base: alpineNew, files: []string{"/srv/www/index.html"}},
	{name: "ingress-nginx/controller:v1.8.2", release: "alpine-3.18", base: alpineNew, files: []string{"/nginx-ingress-controller"}},
	{name: "calico/node:v3.27.2", release: "debian-12", base: debian12Base, files: []string{"/bin/calico-node"}},
}
