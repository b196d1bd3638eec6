package bench

import (
	"errors"
	"testing"
	"time"
)

func TestParseBusySeconds(t *testing.T) {
	// Busy are user, nice, system, irq, softirq and steal when a line has all ten fields.
	const stat = "cpu  100 20 300 4000 5000 6 7 80 50 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
	if got, want := parseBusySeconds(stat), 5.13; got != want {
		t.Errorf("got %g s, want %g", got, want)
	}
	if got := parseBusySeconds("nothing of the kind"); got != 0 {
		t.Errorf("got %g s of a text without numbers", got)
	}
}

func TestLoad(t *testing.T) {
	// Others are what is busy and not measured when the steps were long enough; the note tells from a tenth of a core on.
	for _, test := range []struct {
		l    load
		want float64
		note string
	}{
		{load{busy: 20, own: 19.5, wall: 10}, 0.05, ""},
		{load{busy: 20, own: 15, wall: 10}, 0.5, "taken under load: other processes used 0.5 cores meanwhile"},
		{load{busy: 20, own: 20.1, wall: 10}, 0, ""},
		{load{busy: 2, own: 0, wall: 0.9}, 0, ""},
	} {
		var note string
		if notes := test.l.note(); len(notes) > 0 {
			note = notes[0]
		}
		if got := test.l.others(); got != test.want || note != test.note {
			t.Errorf("%+v: %g cores, note %q, want %g, %q", test.l, got, note, test.want, test.note)
		}
	}
}

func TestLoadDuring(t *testing.T) {
	// A process beside the measured ones is found when it computes during a step.
	var l load
	err := l.during(nil, func() error { // this process is none of the measured
		for began := time.Now(); time.Since(began) < 1100*time.Millisecond; {
		}
		return nil
	})
	if err != nil || l.others() <= quiet {
		t.Errorf("others used %g cores (%+v), error %v", l.others(), l, err)
	}
	failed := errors.New("gone")
	if err := l.during(nil, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want %v", err, failed)
	}
}
