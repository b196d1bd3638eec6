package nas

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStatusFits(t *testing.T) {
	// A bar leaves out what has no room when the terminal is narrow, the speed first and the place last.
	s := status{place: "epoch 50/50 step 391/391", quality: "loss 0.1234 acc 97.1 %", rate: "1600 images/s", left: "12m05s left", done: 0.5}
	for _, test := range []struct {
		columns int
		want    string
	}{
		{119, "epoch 50/50 step 391/391 loss 0.1234 acc 97.1 % 1600 images/s 12m05s left  50% |██████████          |"},
		{79, "epoch 50/50 step 391/391 loss 0.1234 acc 97.1 % 12m05s left  50% |██████      |"},
		{74, "epoch 50/50 step 391/391 12m05s left  50% |██████████          |"},
		{41, "epoch 50/50 step 391/391 12m05s left  50%"},
		{39, "epoch 50/50 step 391/391 12m05s left"},
		{35, "epoch 50/50 step 391/391  50%"},
		{24, "epoch 50/50 step 391/391"},
		{10, "epoch 50/5"},
		{0, ""},
	} {
		if got := s.fit(test.columns); got != test.want {
			t.Errorf("%d columns: got %q, want %q", test.columns, got, test.want)
		}
	}
	for columns := range 200 {
		if n := utf8.RuneCountInString(s.fit(columns)); n > columns {
			t.Errorf("%d columns: %d are taken", columns, n)
		}
	}
}

func TestBarFollowsTheTerminal(t *testing.T) {
	// Each drawing fits the width that the terminal has by then, and clear leaves nothing.
	var out bytes.Buffer
	columns := 40
	b := &bar{w: &out, width: func() int { return columns }}
	s := status{place: "epoch 50/50 step 391/391", quality: "loss 0.1234 acc 97.1 %", rate: "1600 images/s", left: "12m05s left", done: 1}
	b.draw(s)
	columns = 80
	b.draw(s)
	columns = 0 // the terminal does not say
	b.draw(s)
	b.clear()
	b.clear()
	wide := "\repoch 50/50 step 391/391 loss 0.1234 acc 97.1 % 12m05s left 100% |" + strings.Repeat("█", 12) + "|\x1b[K"
	if want := "\repoch 50/50 step 391/391 12m05s left\x1b[K" + wide + wide + "\r\x1b[K"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
