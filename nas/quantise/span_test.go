package quantise

import (
	"math"
	"testing"

	"godarts/nas/onnx"
)

// counted returns counts with c in each of the bins, and one more in the last.
func counted(c, last float64) []float64 {
	counts := make([]float64, bins)
	for i := range counts {
		counts[i] = c
	}
	counts[bins-1] = last
	return counts
}

func TestPercentile(t *testing.T) {
	// Percentile drops bins whose elements are fewer than the tail, keeps those of more, and keeps 0 in the range.
	s := span{-1, 1}
	far := make([]float64, bins)
	far[bins/4], far[bins/2], far[bins-1] = 6, 100_000, 4 // a tail is of five
	if got, want := s.percentile(far), (span{-0.5, 2. / bins}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	far[bins-1] = 6
	if got, want := s.percentile(far), (span{-0.5, 1}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (span{0, 1}).percentile(counted(1, 1)); got.low != 0 || got.high > 1 {
		t.Errorf("got %v", got)
	}
}

func TestLeastSquares(t *testing.T) {
	// A lone element far out is clamped when that loses less than coarse steps for all others, and even counts keep the whole range.
	few := make([]float64, bins)
	for i := range bins / 8 {
		few[i] = 1000
	}
	few[bins-1] = 0.001
	if got := (span{0, 8}).leastSquares(few); got.high > 2 || got.high < 0.9 {
		t.Errorf("got %v, want about 1", got)
	}
	if got := (span{-3, 1}).leastSquares(counted(10, 10)); got != (span{-3, 1}) {
		t.Errorf("got %v", got)
	}
}

func TestScaleOf(t *testing.T) {
	// A scale has 0 among its integers, spans the range, and stands for nothing where the range is empty.
	for _, test := range []struct {
		low, high float64
		want      onnx.Scale
	}{
		{0, 255, onnx.Scale{Scale: 1}}, {-1, 1, onnx.Scale{Scale: 2. / 255, Zero: 127}}, {0, 0, onnx.Scale{Scale: 1}},
		{3, 5.1, onnx.Scale{Scale: 5.1 / 255}}, {-255, -1, onnx.Scale{Scale: 1, Zero: 255}},
	} {
		got := onnx.ScaleOf(test.low, test.high)
		if got.Zero != test.want.Zero || math.Abs(float64(got.Scale-test.want.Scale)) > 1e-9 {
			t.Errorf("from %v to %v: %v, want %v", test.low, test.high, got, test.want)
		}
	}
}

func TestMostOn(t *testing.T) {
	// Weights of the reduced range are for processors of Intel and AMD without VNNI.
	for _, test := range []struct {
		x86, vnni bool
		want      int
	}{{true, true, Full}, {true, false, Reduced}, {false, false, Full}} {
		if got := mostOn(test.x86, test.vnni); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}
