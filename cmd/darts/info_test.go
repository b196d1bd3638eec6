package main

import (
	"bytes"
	"testing"
)

func TestInfo(t *testing.T) {
	// The networks of a published cell are those of the paper when its name is given.
	var stdout, stderr bytes.Buffer
	if status := run([]string{"info", "DARTS_V2"}, &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr.String())
	}
	const want = `CIFAR-10: 36 channels, 20 cells, images 3x32x32
  parameters                    3349342
  with auxiliary head           3825768
  multiply-adds of an image     528.4 M
  activations kept in training  72.3 MB an image, 6.94 GB at batch 96

ImageNet: 48 channels, 14 cells, images 3x224x224
  parameters                    4718752
  with auxiliary head           5979528
  multiply-adds of an image     529.9 M
  activations kept in training  54.9 MB an image, 7.03 GB at batch 128
`
	if got := stdout.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
