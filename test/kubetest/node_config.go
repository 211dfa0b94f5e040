package kubetest

// containerdConfig is for Debian's containerd; %[1]s is the node's folder.
const containerdConfig = `version = 2
root = "%[1]s/root"
state = "%[1]s/run"
[grpc]
  address = "%[1]s/cd.sock"
[ttrpc]
  address = ""
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "local.test/pause:1"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "/usr/sbin/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "%[1]s/cni/net.d"
`

// cniConfig puts pods on a bridge of their own.
const cniConfig = `{"cniVersion": "0.4.0", "name": "bw", "plugins": [
 {"type": "bridge", "bridge": "` + bridge + `", "isGateway": true, "ipMasq": false,
  "ipam": {"type": "host-local", "dataDir": "%s/cni/ipam", "ranges": [[{"subnet": "10.244.250.0/24", "gateway": "` + Gateway +
	`"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
 {"type": "loopback"}]}
`

// bridge is the network interface that pods of a real node share.
const bridge = "bwbridge0"

// kubeletConfig: the certificate authority, the control group, containerd's
// socket, and the node's folder.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
readOnlyPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]s}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /%[2]s
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
containerRuntimeEndpoint: unix://%[3]s
podLogsDir: %[4]s/logs
resolvConf: /etc/resolv.conf
nodeStatusUpdateFrequency: 1s
makeIPTablesUtilChains: false
evictionHard: {memory.available: 50Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
imageGCHighThresholdPercent: 100
`
