package torch_test

import (
	"errors"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestMailbox(t *testing.T) {
	// What is posted is read as it was when it was posted, while the next is on its way, when the tensor changes or is gone; Post refuses what does not fit.
	torchtest.Scope(t)
	m := torch.NewMailbox(torch.CPU, 3)
	mailed(t, m, torch.Options{})
	for _, x := range []torch.Tensor{torch.Ones([]int{4}, torch.Options{}), torch.Ones([]int{1, 2}, torch.Options{}), {}} {
		var e *torch.Error
		if err := torch.Do(func() error { m.Post(x); return nil }); !errors.As(err, &e) {
			t.Errorf("error %v", err)
		}
	}
	m.Free()
}

// mailed posts numbers of the type and device o.
func mailed(t *testing.T, m *torch.Mailbox, o torch.Options) {
	t.Helper()
	x := torch.Zeros([]int{2}, o)
	var before func() []float64
	for i := range 5 {
		x.Fill_(float64(i))
		var read func() []float64
		torch.Scoped(func() { read = m.Post(x.AddScalar(0.5)) })
		if i > 0 {
			if got := before(); !slices.Equal(got, []float64{float64(i) - 0.5, float64(i) - 0.5}) {
				t.Errorf("post %d: %v", i-1, got)
			}
		}
		before = read
	}
	if got := before(); got[0] != 4.5 {
		t.Errorf("last post: %v", got)
	}
}

func TestMailboxOnGPU(t *testing.T) {
	// Numbers of a GPU are read as they were when they were posted.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	m := torch.NewMailbox(gpu, 3)
	defer m.Free()
	mailed(t, m, torch.Options{Device: gpu})
	mailed(t, m, torch.Options{Dtype: torch.Float64, Device: gpu})
}

func TestUpload(t *testing.T) {
	// An upload to the CPU is the tensor itself.
	torchtest.Scope(t)
	if x := torch.Ones([]int{2}, torch.Options{}); x.Upload(torch.CPU) != x {
		t.Error("the tensor was copied")
	}
}

func TestUploadOnGPU(t *testing.T) {
	// An upload has the values, the type and the order of channels of what was uploaded, when the source is overwritten at once.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	for _, x := range []torch.Tensor{
		torch.Randn([]int{3, 4}, torch.Options{}), torch.Randn([]int{2, 3, 4, 5}, double), torch.Randn([]int{2, 3, 4, 5}, torch.Options{}).ChannelsLast(),
		torch.RandInt(0, 9, []int{7}, torch.Options{Dtype: torch.Int64}), torch.Randn([]int{4, 3}, torch.Options{}).T(),
	} {
		want := x.Clone()
		got := x.Upload(gpu)
		x.Zero_()
		if got.Dtype() != want.Dtype() || got.Device() != gpu || got.IsChannelsLast() != want.IsChannelsLast() {
			t.Errorf("%v became %v", want, got)
		}
		if back := got.To(want.Options()); back.Ne(want).ToDtype(torch.Float64).Sum().Item() != 0 {
			t.Errorf("other values: %v, want %v", back, want)
		}
	}
}
