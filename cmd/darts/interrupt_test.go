package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestObey(t *testing.T) {
	// The first signal ends the run after its step; a later SIGTERM changes nothing, a later SIGINT warns once and then quits, when signals come in any order.
	const i, q = syscall.SIGINT, syscall.SIGTERM
	for _, test := range []struct {
		name string
		came []os.Signal
		want string
	}{
		{"none", nil, ""},
		{"interrupt", []os.Signal{i}, "finish"},
		{"terminate", []os.Signal{q}, "finish"},
		{"terminate a process and its group", []os.Signal{q, q, q, q}, "finish"},
		{"interrupt a process and its group", []os.Signal{i, i}, "finish warn"},
		{"interrupt thrice", []os.Signal{i, i, i}, "finish warn quit"},
		{"interrupt, then terminate", []os.Signal{i, q, q}, "finish"},
		{"terminate, then interrupt", []os.Signal{q, i, q}, "finish warn"},
		{"terminate, then interrupt twice", []os.Signal{q, i, q, i}, "finish warn quit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			signals := make(chan os.Signal, len(test.came))
			for _, s := range test.came {
				signals <- s
			}
			close(signals)
			var did []string
			note := func(what string) func() { return func() { did = append(did, what) } }
			obey(signals, note("finish"), note("warn"), note("quit"))
			if got := strings.Join(did, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
