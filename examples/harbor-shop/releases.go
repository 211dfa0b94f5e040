package harborshop

// releases are os-release files as the distributions ship them.
var releases = map[string]string{
	"ubuntu-22.04": `PRETTY_NAME="Ubuntu 22.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.1 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"
UBUNTU_CODENAME=jammy
`,
	"debian-11": `PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"
NAME="Debian GNU/Linux"
VERSION_ID="11"
VERSION="11 (bullseye)"
VERSION_CODENAME=bullseye
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`,
	"debian-12": `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`,
	"alpine-3.18": `NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.18.3
PRETTY_NAME="Alpine Linux v3.18"
HOME_URL="https://alpinelinux.org/"
BUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"
`,
}

// What the distributions' base images hold, in part: name, version, source, files.
const (
	ubuntuBase = `
apt 2.4.8 apt /usr/bin/apt-get
base-files 12ubuntu4.2 base-files /etc/debian_version
bash 5.1-6ubuntu1 bash /bin/bash
coreutils 8.32-4.1ubuntu1 coreutils /bin/ls /bin/cat
dpkg 1.21.1ubuntu2.1 dpkg /usr/bin/dpkg
libc6 2.35-0ubuntu3.1 glibc /lib/x86_64-linux-gnu/libc.so.6
libgcc-s1 12.1.0-2ubuntu1~22.04 gcc-12 /lib/x86_64-linux-gnu/libgcc_s.so.1
perl-base 5.34.0-3ubuntu1.1 perl /usr/bin/perl
zlib1g 1:1.2.11.dfsg-2ubuntu9.2 zlib /lib/x86_64-linux-gnu/libz.so.1.2.11
`
	ubuntuPatched = `
base-files 12ubuntu4.6 base-files /etc/debian_version
bash 5.1-6ubuntu1.1 bash /bin/bash
libc6 2.35-0ubuntu3.6 glibc /lib/x86_64-linux-gnu/libc.so.6
zlib1g 1:1.2.11.dfsg-2ubuntu9.2 zlib /lib/x86_64-linux-gnu/libz.so.1.2.11
`
	debian11Base = `
apt 2.2.4 apt /usr/bin/apt-get
base-files 11.1+deb11u5 base-files /etc/debian_version
bash 5.1-2+deb11u1 bash /bin/bash
coreutils 8.32-4+b1 coreutils(8.32-4) /bin/ls /bin/cat
dpkg 1.20.12 dpkg /usr/bin/dpkg
libc6 2.31-13+deb11u5 glibc /lib/x86_64-linux-gnu/libc.so.6
libgcc-s1 10.2.1-6 gcc-10 /lib/x86_64-linux-gnu/libgcc_s.so.1
perl-base 5.32.1-4+deb11u2 perl /usr/bin/perl
tzdata 2021a-1+deb11u8 tzdata /usr/share/zoneinfo/UTC
zlib1g 1:1.2.11.dfsg-2+deb11u2 zlib /lib/x86_64-linux-gnu/libz.so.1.2.11
`
	debian12Base = `
apt 2.6.1 apt /usr/bin/apt-get
base-files 12.4+deb12u5 base-files /etc/debian_version
bash 5.2.15-2+b2 bash(5.2.15-2) /bin/bash
coreutils 9.1-1 coreutils /bin/ls /bin/cat
dpkg 1.21.22 dpkg /usr/bin/dpkg
libc6 2.36-9+deb12u4 glibc /lib/x86_64-linux-gnu/libc.so.6
libgcc-s1 12.2.0-14 gcc-12 /lib/x86_64-linux-gnu/libgcc_s.so.1
tzdata 2024a-0+deb12u1 tzdata /usr/share/zoneinfo/UTC
zlib1g 1:1.2.13.dfsg-1 zlib /lib/x86_64-linux-gnu/libz.so.1.2.13
`
	distrolessBase = `
base-files 12.4+deb12u5 base-files /etc/debian_version
libc6 2.36-9+deb12u4 glibc /lib/x86_64-linux-gnu/libc.so.6
netbase 6.4 netbase /etc/protocols
tzdata 2024a-0+deb12u1 tzdata /usr/share/zoneinfo/UTC
`
	alpineOld = `
alpine-baselayout 3.4.3-r1 alpine-baselayout /etc/profile
apk-tools 2.14.0-r2 apk-tools /sbin/apk
busybox 1.36.1-r0 busybox /bin/busybox
ca-certificates-bundle 20230506-r0 ca-certificates /etc/ssl/certs/ca-certificates.crt
libcrypto3 3.1.3-r0 openssl /lib/libcrypto.so.3
libssl3 3.1.3-r0 openssl /lib/libssl.so.3
musl 1.2.4-r1 musl /lib/ld-musl-x86_64.so.1
zlib 1.2.13-r1 zlib /lib/libz.so.1.2.13
`
	alpineNew = `
alpine-baselayout 3.4.3-r1 alpine-baselayout /etc/profile
apk-tools 2.14.0-r2 apk-tools /sbin/apk
busybox 1.36.1-r5 busybox /bin/busybox
ca-certificates-bundle 20230506-r0 ca-certificates /etc/ssl/certs/ca-certificates.crt
libcrypto3 3.1.4-r5 openssl /lib/libcrypto.so.3
libssl3 3.1.4-r5 openssl /lib/libssl.so.3
musl 1.2.4-r2 musl /lib/ld-musl-x86_64.so.1
zlib 1.2.13-r1 zlib /lib/libz.so.1.2.13
`
)
