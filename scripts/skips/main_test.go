package main

import (
	"strings"
	"testing"
)

func TestFollow(t *testing.T) {
	// follow shows failures, packages and go's own lines, and notes each test that ended with its reason.
	const events = `{"Action":"build-output","ImportPath":"a","Output":"x.go:1: broken\n"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"    a_test.go:3: fine\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestLacks/sub","Output":"    a_test.go:9: no bash: not found\n"}
{"Action":"output","Package":"m/a","Test":"TestLacks/sub","Output":"    --- SKIP: TestLacks/sub (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestLacks/sub"}
{"Action":"skip","Package":"m/a","Test":"TestSilent"}
{"Action":"output","Package":"m/a","Test":"TestBad","Output":"    a_test.go:5: bad\n"}
{"Action":"fail","Package":"m/a","Test":"TestBad"}
{"Action":"output","Package":"m/a","Test":"TestHangs","Output":"panic: out of time\n"}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.1s\n"}
{"Action":"fail","Package":"m/a"}
go: no such thing`
	var shown, notes strings.Builder
	if err := follow(strings.NewReader(events), &shown, &notes); err != nil {
		t.Fatal(err)
	}
	const wantShown = "x.go:1: broken\n    a_test.go:5: bad\nFAIL\tm/a\t0.1s\npanic: out of time\ngo: no such thing"
	if got := shown.String(); got != wantShown {
		t.Errorf("shown:\n%s\nwant:\n%s", got, wantShown)
	}
	const wantNotes = "m/a.TestGood\t\nm/a.TestLacks/sub\tno bash: not found\nm/a.TestSilent\tno reason given\nm/a.TestBad\t\n"
	if got := notes.String(); got != wantNotes {
		t.Errorf("notes:\n%s\nwant:\n%s", got, wantNotes)
	}
}
