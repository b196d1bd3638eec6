package main

// ofUse are mistakes in how trained networks are used: exported as ONNX, to classify, and to write text.
var ofUse = []mutant{
	{
		"ONNX: the second half of a reduction is not shifted", "nas/onnx/operation.go",
		`x, s.b.integers("constants.second", 1, 1),`,
		`x, s.b.integers("constants.second", 0, 0),`,
		tests{"nas/onnx", "TestRecordedFiles"},
	},
	{
		"ONNX: average pooling counts the padding", "nas/onnx/operation.go",
		`Int("count_include_pad", 0)`,
		`Int("count_include_pad", 1)`,
		tests{"nas/onnx", "TestRecordedFiles"},
	},
	{
		"ONNX: folding forgets the mean", "nas/onnx/scope.go",
		"float64(bias[c])-float64(mean[c])*factor",
		"float64(bias[c])-0*float64(mean[c])",
		tests{"nas/onnx", "TestRecordedFiles"},
	},
	{
		"ONNX: the halves of a gate are swapped", "nas/onnx/language.go",
		`Node("Sigmoid", []string{halves[0]})`,
		`Node("Sigmoid", []string{halves[1]})`,
		tests{"nas/onnx", "TestRecordedFiles"},
	},
	{
		"ONNX: a cell reads its inputs in the other order", "nas/onnx/images.go",
		"inputs = [2]string{inputs[1], place.cell(",
		"inputs = [2]string{inputs[0], place.cell(",
		tests{"nas/onnx", "TestRecordedFiles"},
	},
	{
		"integers: negative ones are clamped", "nas/quantise/pass.go",
		"return value{round(y, -zero, math.MaxUint8-zero), true, group}",
		"return value{round(y, -zero+zero, math.MaxUint8-zero), true, group}",
		tests{"nas/quantise", "TestNear"},
	},
	{
		"integers: a bias has the scale of the weights", "nas/quantise/network.go",
		"scale.MulScalar(float64(input))), math.MinInt32",
		"scale), math.MinInt32",
		tests{"nas/quantise", "TestNear"},
	},
	{
		"integers: a concatenation adds tensors of two scales", "nas/quantise/pass.go",
		"if part.group != group {",
		"if part.group < 0 {",
		tests{"nas/quantise", "TestNear"},
	},
	{
		"integers: ReLUs are not shared", "nas/onnx/integer.go",
		"case onlyReLUs(readers) && n.Kind == InIntegers:",
		"case false:",
		tests{"nas/onnx", "TestIntegerGraph"},
	},
	{
		"integers: a resumed training calibrates again", "nas/train/quantise.go",
		"if !ok || net.Calibrated() || r.Err() != nil {",
		"if !ok || r.Err() != nil {",
		tests{"nas/train", "TestQuantisedResumes"},
	},
	{
		"ONNX: the check lets any order pass", "nas/onnx/check.go",
		`return fmt.Errorf("nothing gives its input %q", name)`,
		"continue",
		tests{"nas/onnx", "TestCheckRefuses"},
	},
	{
		"classify: every picture is scaled as a whole", "nas/model/classify.go",
		"Augment: data.Augment{Window: m.window}",
		"Augment: data.Augment{}",
		tests{"cmd/darts", "TestClassify"},
	},
	{
		"test: images that were left out have a row", "nas/train/predictions.go",
		`if file != "" && out[file] {`,
		`if file == "" && out[file] {`,
		inTrain("TestPredictions"),
	},
	{
		"generate: the state stays", "nas/model/language.go",
		"hidden.Copy_(out.Hidden)",
		"_ = out.Hidden",
		tests{"nas/model", "TestGenerateReadsOn"},
	},
	{
		"generate: the temperature has no effect", "nas/model/language.go",
		"math.Exp((v - largest) / temperature)",
		"math.Exp(v - largest)",
		tests{"nas/model", "TestDraw"},
	},
	{
		"the time of --for: a run says that it was interrupted", "cmd/darts/interrupt.go",
		"cancel(errTimeIsUp)",
		"cancel(nil)",
		tests{"cmd/darts", "TestTimeIsUp"},
	},
	{
		"reproduction: an accuracy is called an error", "scripts/reproduction/page.go",
		"100*(1-*last.TestAccuracy)",
		"100**last.TestAccuracy",
		tests{"scripts/reproduction", "TestPage"},
	},
	{
		"reproduction: other settings are not named", "scripts/reproduction/page.go",
		"if len(p.other) > 0 {",
		"if len(p.other) > 1000 {",
		tests{"scripts/reproduction", "TestPage"},
	},
	{
		"reproduction: a run has its epochs from the start", "scripts/reproduction/page.go",
		"done = r.Epochs[n-1].Epoch + 1",
		"done = r.Config.RunEpochs()",
		tests{"scripts/reproduction", "TestPage"},
	},
}
