//go:build cuda

package torch

import (
	"strings"
	"testing"
)

func TestCaptureWithoutCUDA(t *testing.T) {
	// A capture fails with libtorch's or the shim's reason, runs nothing and leaves the process well when no GPU can be used.
	if _, err := CUDA(0); err == nil {
		t.Skip("there is a GPU")
	}
	before := Live()
	err := Do(func() error {
		_, err := CaptureGraph(Device{kind: cudaType}, nil, func() { t.Error("the function ran") })
		return err
	})
	if err == nil || !strings.HasPrefix(err.Error(), "torch: capture_graph: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	t.Log(err)
	if Live() != before {
		t.Error("tensors live on")
	}
}
