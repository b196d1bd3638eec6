package images

import (
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestInFive(t *testing.T) {
	// A label counts when four logits exceed its own, and not when five do.
	torchtest.Scope(t)
	logits := torch.FromSlice([]float64{1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1}, 2, 7)
	for _, test := range []struct {
		labels []int64
		want   float64
	}{{[]int64{6, 0}, 2}, {[]int64{2, 4}, 2}, {[]int64{1, 4}, 1}, {[]int64{1, 5}, 0}} {
		if got := inFive(logits, torch.FromSlice(test.labels, 2)); got != test.want {
			t.Errorf("labels %v: %v, want %v", test.labels, got, test.want)
		}
	}
}
