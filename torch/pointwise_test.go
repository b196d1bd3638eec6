package torch_test

import "godarts/torch"

// pointwiseInputs are images, and what a batch norm takes beside them. The images' mean is far
// from zero: there a variance by the mean of squares would be wrong.
func pointwiseInputs(shape [5]int, last bool, o torch.Options) (x, weight, scale, shift torch.Tensor) {
	n, in, out, h, w := shape[0], shape[1], shape[2], shape[3], shape[4]
	x = torch.Randn([]int{n, in, h, w}, o).AddScalar(3)
	if last {
		x = x.ChannelsLast()
	}
	return x, torch.Randn([]int{out, in, 1, 1}, o), torch.Randn([]int{out}, o), torch.Randn([]int{out}, o)
}

// pointwiseShapes are N, C, O, H, W: of more rows than are taken together, of fewer, of a
// number that ends amid a tile; of channels for each kind of tile, and for none.
var pointwiseShapes = [][5]int{
	{3, 36, 36, 9, 8}, {2, 72, 72, 7, 7}, {2, 144, 144, 3, 5}, {4, 576, 144, 2, 3}, {2, 16, 4, 3, 3},
	{3, 20, 24, 1, 1}, {5, 4, 8, 11, 13}, {2, 60, 108, 5, 5}, {2, 128, 64, 5, 4}, {3, 6, 10, 4, 4}, {2, 8, 6, 3, 3},
}
