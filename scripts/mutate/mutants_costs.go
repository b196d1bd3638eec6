package main

// ofCosts are mistakes in what networks cost, and in what searches do with it.
var ofCosts = []mutant{
	{
		"cost: multiply-adds of a reduction at the size before it", "cells/places.go",
		"return math.Ceil(c.side / 2)",
		"return c.side",
		inCells("TestCount|TestPlaces"),
	},
	{
		"latency: one cell of a kind counts", "nas/images/latency.go",
		"seconds += r.Seconds",
		"seconds = r.Seconds",
		inImages("TestLatencyLayers"),
	},
	{
		"latency: strides are all 1", "nas/images/latency.go",
		"Side: at.Side, Stride: at.Stride}",
		"Side: at.Side, Stride: 1}",
		inImages("TestLatencyLayers"),
	},
	{
		"latency: of the search's own sizes", "nas/images/latency.go",
		"c = config.Defaults(config.Train)",
		"",
		inImages("TestLatencyLayers"),
	},
	{
		"latency: α pays multiply-adds", "nas/search/cost.go",
		"if c.Of == config.Latency {",
		"if c.Of == config.NoCost {",
		inSearch("TestLatencyOfCells"),
	},
	{
		"latency: the front is of multiply-adds", "nas/search/cost.go",
		"case config.Latency:",
		`case "":`,
		inSearch("TestLatencyBound"),
	},
	{
		"latency: a bound of twice the seconds", "nas/search/budget.go",
		`bound{"space.latency.most", most, " s", times.Cell}`,
		`bound{"space.latency.most", 2 * most, " s", times.Cell}`,
		inSearch("TestLatencyBound"),
	},
	{
		"latency: a run goes on with other times", "nas/search/latency.go",
		`changed != "" {`,
		`changed == "-" {`,
		inSearch("TestTableOfRun"),
	},
	{
		"latency: what is there is measured again", "nas/info/latencytable.go",
		"latency.Missing(t.Rows, layers)",
		"layers",
		tests{"nas/info", "TestMeasureTable"},
	},
	{
		"latency: conditions may differ", "nas/info/latencytable.go",
		`changes != "" {`,
		`changes == "-" {`,
		tests{"nas/info", "TestMeasureTable"},
	},
}
