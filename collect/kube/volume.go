package kube

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// volumeOf tells a volume's type and what it refers to.
func volumeOf(v *corev1.Volume) collect.Volume {
	out := collect.Volume{Name: str(v.Name)}
	switch s := v.VolumeSource; {
	case s.HostPath != nil:
		out.Type, out.Path, out.HostType = "hostPath", s.HostPath.Path, string(deref(s.HostPath.Type))
	case s.Secret != nil:
		out.Type, out.Secrets = "secret", []string{str(s.Secret.SecretName)}
		out.Items = shown(s.Secret.SecretName, s.Secret.Items)
	case s.ConfigMap != nil:
		out.Type, out.ConfigMaps = "configMap", []string{str(s.ConfigMap.Name)}
	case s.Projected != nil:
		projected(&out, s.Projected)
	case s.EmptyDir != nil:
		out.Type = "emptyDir"
	case s.PersistentVolumeClaim != nil:
		out.Type, out.Claim = "persistentVolumeClaim", s.PersistentVolumeClaim.ClaimName
		out.ReadOnly = s.PersistentVolumeClaim.ReadOnly
	case s.Ephemeral != nil:
		out.Type = "ephemeral"
	case s.CSI != nil:
		out.Type, out.Driver, out.ReadOnly = "csi", s.CSI.Driver, deref(s.CSI.ReadOnly)
		if s.CSI.NodePublishSecretRef != nil {
			out.NodeSecrets = []string{str(s.CSI.NodePublishSecretRef.Name)}
		}
	case s.DownwardAPI != nil:
		out.Type = "downwardAPI"
	case s.Image != nil:
		out.Type, out.Path = "image", s.Image.Reference
	default:
		out.Type, out.NodeSecrets = rareVolume(&v.VolumeSource), rareSecrets(&v.VolumeSource)
	}
	return out
}

// rareSecrets are what nodes mount volumes with whose source is part of the kubelet.
func rareSecrets(s *corev1.VolumeSource) []string {
	var ref *corev1.LocalObjectReference
	switch {
	case s.AzureFile != nil:
		ref = &corev1.LocalObjectReference{Name: s.AzureFile.SecretName}
	case s.ISCSI != nil:
		ref = s.ISCSI.SecretRef
	case s.CephFS != nil:
		ref = s.CephFS.SecretRef
	case s.RBD != nil:
		ref = s.RBD.SecretRef
	case s.FlexVolume != nil:
		ref = s.FlexVolume.SecretRef
	}
	if ref == nil || ref.Name == "" {
		return nil
	}
	return []string{str(ref.Name)}
}

func projected(out *collect.Volume, p *corev1.ProjectedVolumeSource) {
	out.Type = "projected"
	whole := map[string]bool{} // Secrets that one of the sources shows all keys of
	for _, s := range p.Sources {
		switch {
		case s.Secret != nil:
			out.Secrets = append(out.Secrets, str(s.Secret.Name))
			whole[s.Secret.Name] = whole[s.Secret.Name] || len(s.Secret.Items) == 0
			out.Items = append(out.Items, shown(s.Secret.Name, s.Secret.Items)...)
		case s.ConfigMap != nil:
			out.ConfigMaps = append(out.ConfigMaps, str(s.ConfigMap.Name))
		case s.ServiceAccountToken != nil:
			// The token for the API server is the one that matters; it has no
			// audience of its own.
			if !out.Token || out.Audience != "" {
				out.Token, out.Audience = true, s.ServiceAccountToken.Audience
			}
			if a := s.ServiceAccountToken.Audience; a != "" {
				out.Audiences = append(out.Audiences, a)
			}
		}
	}
	out.Items = slices.DeleteFunc(out.Items, func(k collect.KeyRef) bool { return whole[k.Name] })
	slices.Sort(out.Secrets)
	slices.Sort(out.ConfigMaps)
}

func shown(secret string, keys []corev1.KeyToPath) (out []collect.KeyRef) {
	for _, k := range keys {
		out = append(out, collect.KeyRef{Name: str(secret), Key: str(k.Key)})
	}
	return out
}

func rareVolume(s *corev1.VolumeSource) string {
	switch {
	case s.NFS != nil:
		return "nfs"
	case s.ISCSI != nil:
		return "iscsi"
	case s.FC != nil:
		return "fc"
	case s.GitRepo != nil:
		return "gitRepo"
	case s.AWSElasticBlockStore != nil:
		return "awsElasticBlockStore"
	case s.GCEPersistentDisk != nil:
		return "gcePersistentDisk"
	case s.AzureDisk != nil:
		return "azureDisk"
	case s.AzureFile != nil:
		return "azureFile"
	case s.CephFS != nil:
		return "cephfs"
	case s.RBD != nil:
		return "rbd"
	case s.VsphereVolume != nil:
		return "vsphereVolume"
	case s.FlexVolume != nil:
		return "flexVolume"
	}
	return "unknown"
}
