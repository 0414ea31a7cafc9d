// Prints the user-data of a worker as Cluster API's kubeadm bootstrap provider would: its own KubeadmConfig on stdin, its own code.
// build.sh puts this file into bootstrap/kubeadm/user-data/ of a copy of module sigs.k8s.io/cluster-api, whose internal packages it calls.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/blang/semver/v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	bootstrapv1 "sigs.k8s.io/cluster-api/api/bootstrap/kubeadm/v1beta2"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/bootstrap/kubeadm/internal/cloudinit"
	"sigs.k8s.io/cluster-api/bootstrap/kubeadm/internal/ignition"
	kubeadmtypes "sigs.k8s.io/cluster-api/bootstrap/kubeadm/types"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: user-data KUBERNETES-VERSION <KUBEADMCONFIG"))
	}
	text, err := io.ReadAll(os.Stdin)
	fail(err)
	version, err := semver.ParseTolerant(os.Args[1])
	fail(err)
	config := bootstrapv1.KubeadmConfig{}
	fail(yaml.UnmarshalStrict(text, &config))
	userData, err := workerUserData(&config.Spec, version)
	fail(err)
	_, err = os.Stdout.Write(userData)
	fail(err)
}

// The controller's joinWorker, without the API server that it asks.
func workerUserData(spec *bootstrapv1.KubeadmConfigSpec, version semver.Version) ([]byte, error) {
	join := spec.JoinConfiguration.DeepCopy()
	taints := append(ptr.Deref(join.NodeRegistration.Taints, []corev1.Taint{}), clusterv1.NodeUninitializedTaint)
	join.NodeRegistration.Taints = &taints
	document, err := kubeadmtypes.MarshalJoinConfigurationForVersion(join, version)
	if err != nil {
		return nil, err
	}
	input := &cloudinit.NodeInput{
		BaseUserData: cloudinit.BaseUserData{
			AdditionalFiles:     spec.Files,
			BootCommands:        spec.BootCommands,
			PreKubeadmCommands:  spec.PreKubeadmCommands,
			PostKubeadmCommands: spec.PostKubeadmCommands,
			Users:               spec.Users,
			Mounts:              spec.Mounts,
			KubernetesVersion:   version,
		},
		JoinConfiguration: document,
	}
	if spec.NTP.IsDefined() {
		input.NTP = &spec.NTP
	}
	if spec.DiskSetup.IsDefined() {
		input.DiskSetup = &spec.DiskSetup
	}
	if spec.Verbosity != nil {
		input.KubeadmVerbosity = fmt.Sprintf("--v %d", *spec.Verbosity)
	}
	if spec.Format == bootstrapv1.Ignition {
		userData, _, err := ignition.NewNode(&ignition.NodeInput{NodeInput: input, Ignition: &spec.Ignition})
		return userData, err
	}
	return cloudinit.NewNode(input)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "user-data: "+err.Error())
		os.Exit(1)
	}
}
