package safetensors_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

func TestSum(t *testing.T) {
	// CheckSum finds every flipped bit that leaves the file one that reads, when zeros and sums stand in other texts too.
	torchtest.Scope(t)
	zeros := strings.Repeat("0", 64)
	sd := torch.StateDict{zeros: values(2), "b": values(3)}
	plain := map[string]string{"a": zeros, "z": zeros, "quote": `"` + zeros + `"`}
	content, err := safetensors.WithSum(sd, plain, "sum")
	if err != nil {
		t.Fatal(err)
	}
	sound := func(content []byte) bool {
		s, err := safetensors.Read(content)
		if err != nil {
			return false
		}
		_, fits := s.CheckSum("sum")
		return fits
	}
	if !sound(content) {
		t.Fatal("the sum of the whole file does not fit")
	}
	s, err := safetensors.Read(content)
	if err != nil {
		t.Fatal(err)
	}
	meta := s.Metadata()
	for key, text := range plain {
		if meta[key] != text {
			t.Errorf("%q became %q", text, meta[key])
		}
	}
	blank := bytes.Replace(content, []byte(`"sum":"`+meta["sum"]+`"`), []byte(`"sum":"`+zeros+`"`), 1)
	if want := fmt.Sprintf("%x", sha256.Sum256(blank)); meta["sum"] != want {
		t.Errorf("the sum is %s, want that of the file with zeros in its place, %s", meta["sum"], want)
	}
	// The same sum stands in another text: its own place counts.
	plain["a"] = meta["sum"]
	if again, err := safetensors.WithSum(sd, plain, "sum"); err != nil || !sound(again) {
		t.Errorf("with a sum in another text: %v", err)
	}
	for bit := range 8 * len(content) {
		flipped := bytes.Clone(content)
		flipped[bit/8] ^= 1 << (bit % 8)
		if sound(flipped) {
			t.Errorf("bit %d of byte %d is flipped, and the sum fits", bit%8, bit/8)
		}
	}
}

func TestNoSum(t *testing.T) {
	// CheckSum tells a file without a checksum from one whose sum is no text that it writes.
	for _, test := range []struct {
		metadata string
		found    bool
	}{
		{`{}`, false},
		{`{"other":"x"}`, false},
		{`{"sum":""}`, true},
		{`{"sum":"0"}`, true},
		{`{"sum":"` + strings.Repeat(`\u0030`, 64) + `"}`, true},
	} {
		s, err := safetensors.Read(file(`{"__metadata__":` + test.metadata + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if found, fits := s.CheckSum("sum"); found != test.found || fits {
			t.Errorf("%s: found %v, fits %v", test.metadata, found, fits)
		}
	}
}
