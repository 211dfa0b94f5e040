package harborshop

// bundle is an image of the estate: a distribution's layer, a layer of packages
// on top, and the program's own files.
type bundle struct {
	name    string // repository:tag
	release string // a key of releases; empty for a program alone
	base    string // packages, one to a line
	added   string
	files   []string // the first is the entrypoint
	user    string
	// platforms makes an index of several builds; linux/amd64 alone if empty.
	platforms []string
	// distroless keeps each package's record in a file of its own.
	distroless bool
	// lost is an image that nodes still run and the registry no longer has.
	lost bool
}

const (
	openssl3022 = "libssl3 3.0.2-0ubuntu1.6 openssl /usr/lib/x86_64-linux-gnu/libcrypto.so.3 /usr/lib/x86_64-linux-gnu/libssl.so.3\n"
	chromium106 = `chromium 106.0.5249.119-1~deb11u1 chromium /usr/bin/chromium /usr/lib/chromium/chromium
chromium-common 106.0.5249.119-1~deb11u1 chromium /usr/lib/chromium/resources.pak
fonts-dejavu-core 2.37-2 fonts-dejavu /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
`
)

// bundles are all images; README.md says what is wrong with each.
var bundles = []bundle{
	{name: "shop/web:1.4.2", release: "ubuntu-22.04", base: ubuntuBase, platforms: []string{"linux/amd64", "linux/arm64"}, user: "www-data",
		added: openssl3022 + "openssl 3.0.2-0ubuntu1.6 openssl /usr/bin/openssl\n", files: []string{"/srv/web"}},
	{name: "shop/web:1.3.0", release: "ubuntu-22.04", base: ubuntuBase, user: "www-data", // nothing runs it any more
		added: openssl3022, files: []string{"/srv/web"}},
	{name: "shop/web:1.5.0", release: "ubuntu-22.04", base: ubuntuPatched, user: "www-data",
		added: "libssl3 3.0.2-0ubuntu1.15 openssl /usr/lib/x86_64-linux-gnu/libssl.so.3\n", files: []string{"/srv/web"}},
	{name: "shop/cart:2.1.0", release: "debian-11", base: debian11Base,
		added: "liblog4j2-java 2.13.3-1 apache-log4j2 /usr/share/java/log4j-core-2.13.3.jar\n", files: []string{"/srv/cart.jar"}},
	{name: "shop/session-agent:0.4.0", release: "alpine-3.18", base: alpineNew, files: []string{"/usr/local/bin/session-agent"}},
	{name: "shop/catalogue:3.1.0", release: "alpine-3.18", base: alpineOld, user: "10001",
		added: "curl 8.3.0-r0 curl /usr/bin/curl\nlibcurl 8.3.0-r0 curl /usr/lib/libcurl.so.4.8.0\n" +
			"nghttp2-libs 1.55.1-r0 nghttp2 /usr/lib/libnghttp2.so.14\n", files: []string{"/srv/catalogue"}},
	{
		name:    "shop/receipts:1.9.0",
		release: "debian-11",
		base:    debian11Base,
		added:   chromium106,
		files:   []string{"/srv/receipts.js"},
		user:    "node",
	},
	{
		name:    "shop/chart-plotter:0.8.0",
		release: "debian-11",
		base:    debian11Base,
		added:   chromium106,
		files:   []string{"/srv/plotter.js"},
		user:    "node",
	},
	{name: "shop/sail-preview:0.8.2", release: "ubuntu-22.04", base: ubuntuBase, added: openssl3022, files: []string{"/srv/sail-preview"}},
	{name: "shop/sessions:6.0.16", release: "debian-11", base: debian11Base, user: "redis",
		added: "redis-server 5:6.0.16-1+deb11u1 redis /usr/bin/redis-server\nredis-tools 5:6.0.16-1+deb11u1 redis /usr/bin/redis-cli\n"},
	{name: "shop/tide-tables:2011.7", files: []string{"/tide-tables"}},
	{name: "shop/knot-of-the-day:0.1.0", release: "alpine-3.18", base: alpineOld, files: []string{"/srv/knots"}, lost: true},
	{name: "edge/proxy:2.4.54", release: "debian-11", base: debian11Base,
		added: "apache2 2.4.54-1~deb11u1 apache2 /usr/sbin/apache2ctl\napache2-bin 2.4.54-1~deb11u1 apache2 /usr/sbin/apache2\n"},
	{name: "shop/price-board:0.3.0", release: "debian-11", base: debian11Base, // nothing has run it yet
		added: "liblog4j2-java 2.13.3-1 apache-log4j2 /usr/share/java/log4j-core-2.13.3.jar\n", files: []string{"/srv/price-board.jar"}},
	{name: "edge/log-shipper:1.2.0", release: "debian-12", base: debian12Base, files: []string{"/usr/local/bin/log-shipper"}},
	{name: "ci/build-agent:4.8", release: "ubuntu-22.04", base: ubuntuPatched,
		added: "openssh-server 1:8.9p1-3ubuntu0.6 openssh /usr/sbin/sshd\ngit 1:2.34.1-1ubuntu1.10 git /usr/bin/git\n",
		files: []string{"/usr/local/bin/build-agent"}},
	{name: "ci/jump-host:1.0", release: "debian-12", base: debian12Base,
		added: "openssh-server 1:9.2p1-2+deb12u2 openssh /usr/sbin/sshd\n"},
	{name: "payments/checkout:4.2.0", release: "debian-12", base: debian12Base, files: []string{"/srv/checkout"}, user: "10001"},
	{
		name:       "payments/ledger:4.2.0",
		release:    "debian-12",
		base:       distrolessBase,
		distroless: true,
		files:      []string{"/app/ledger"},
		user:       "10001",
	},
	{
		name:    "loyalty/web:1.4.0",
		release: "alpine-3.18",
		base:    alpineNew,
		files:   []string{"/srv/www/server", "/srv/www/index.html"},
		user:    "10001",
	},
	{
		name:    "ingress-nginx/controller:v1.8.2",
		release: "alpine-3.18",
		base:    alpineNew,
		files:   []string{"/nginx-ingress-controller"},
		user:    "www-data",
	},
	{name: "calico/node:v3.27.2", release: "debian-12", base: debian12Base, files: []string{"/bin/calico-node"}},
}
