package report

import "fmt"

// Three significant digits are as many as such measurements justify.

func seconds(s float64) string { return digits(s, 3) }

func rate(perSecond float64) string { return digits(perSecond, 3) }

func ratio(r float64) string { return digits(r, 3) }

// digits writes x >= 0 with n significant digits, never with an exponent.
func digits(x float64, n int) string {
	decimals := n - 1
	for limit := 10.0; x >= limit && decimals > 0; limit *= 10 {
		decimals--
	}
	for limit := 1.0; x > 0 && x < limit && decimals < 9; limit /= 10 {
		decimals++
	}
	return fmt.Sprintf("%.*f", decimals, x)
}

// storage writes a number of bytes in decimal units.
func storage(n int64) string {
	switch {
	case n <= 0:
		return "unknown"
	case n < 1e9:
		return digits(float64(n)/1e6, 3) + " MB"
	}
	return digits(float64(n)/1e9, 3) + " GB"
}
