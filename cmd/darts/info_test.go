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
  activations kept in training  34.5 MB an image, 3.31 GB at batch 96

ImageNet: 48 channels, 14 cells, images 3x224x224
  parameters                    4718752
  with auxiliary head           5979528
  multiply-adds of an image     529.9 M
  activations kept in training  29.2 MB an image, 3.74 GB at batch 128
`
	if got := stdout.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRecurrentInfo(t *testing.T) {
	// Language models have the paper's number of weights when they are those of a published cell or of the configs.
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"DARTS_V2", "--recurrent"}, "Penn Treebank: 850 units, 8 nodes, 10000 words\n  parameters  22960000\n\n" +
			"WikiText-2: 700 units, 8 nodes, 33278 words\n  parameters  33127878\n"},
		{[]string{"../../configs/ptb-darts-second.yaml"}, "search network: 300 units, 8 nodes, 10000 words\n  parameters  4810000\n"},
		{[]string{"../../configs/ptb-train.yaml"}, "850 units, 8 nodes, 10000 words\n  parameters  22960000\n"},
		{[]string{"../../configs/wikitext2-train.yaml"}, "700 units, 8 nodes, 33278 words\n  parameters  33127878\n"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"info"}, test.args...), &stdout, &stderr); status != exitOK {
			t.Fatalf("%v: status %d, stderr %q", test.args, status, stderr.String())
		}
		if got := stdout.String(); got != test.want {
			t.Errorf("%v: got\n%s\nwant\n%s", test.args, got, test.want)
		}
	}
}
