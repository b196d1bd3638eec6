package main

import "slices"

// mutants are all mistakes.
var mutants = slices.Concat(
	ofDARTS, ofArchitect, ofSupernet, ofDerivation,
	ofPCDARTS, ofPDARTS, ofGDAS, ofEarlyStop, ofPerturbation,
	ofSharedWeights, ofScores,
	ofTraining, ofTexts, ofPruning,
	ofOptimizers, ofData, ofResuming, ofRecording, ofServing, ofUse, ofCosts, ofCounts,
)
