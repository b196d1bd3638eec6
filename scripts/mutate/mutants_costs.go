package main

// ofCosts are mistakes in what networks cost, and in what searches do with it.
var ofCosts = []mutant{
	{
		"cost: multiply-adds of a reduction at the size before it", "cells/places.go",
		"return math.Ceil(c.side / 2)",
		"return c.side",
		inCells("TestCount|TestPlaces"),
	},
}
