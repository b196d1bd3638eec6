package main

var ofServing = []mutant{
	{"serve: any name of the host", "nas/serve/guard.go", "if !isLocal(r.Host) {", "if r.Host == \"\" {", inServe("TestRefuses")},
	{
		"serve: any token", "nas/serve/guard.go",
		"[]byte(g.token)) == 1",
		"[]byte(g.token)) >= 0",
		inServe("TestToken"),
	},
	{"serve: a link is another run", "nas/serve/index.go", "if x.isOut(name) {", "if name == \"\" {", inServe("TestOutside")},
	{"serve: looks go on without a page", "nas/serve/watch.go", "if len(w.watchers) == 0 &&", "if len(w.watchers) < 0 &&", inServe("TestIdle")},
	{"serve: a file that was cut is read on", "nas/serve/tail.go", "info.Size() < t.offset", "info.Size() < 0", inServe("TestTail")},
}
