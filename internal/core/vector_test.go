package core

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

func TestCheckVectorFindsWhatIsNotFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for dim := 1; dim <= 9; dim++ {
		v := make([]float32, dim)
		v[dim-1] = float32(math.Copysign(0, -1))
		if err := CheckVector("/v", v, dim); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d zeros give %v", dim, err)
		}
		for i := range v {
			for _, x := range []float32{math.SmallestNonzeroFloat32, -math.MaxFloat32, 1} {
				v[i] = x
				if err := CheckVector("/v", v, dim); err != nil {
					t.Errorf("%v gives %v", v, err)
				}
			}
			for _, x := range []float32{inf, -inf, nan, -nan, math.Float32frombits(0x7f800001)} {
				v[i] = x
				err := CheckVector("/v", v, dim)
				var at *InputError
				if !errors.As(err, &at) || at.Pointer != fmt.Sprintf("/v/%d", i) {
					t.Errorf("%v gives %v", v, err)
				}
			}
			v[i] = 0
		}
	}
}

func BenchmarkCheckVector(b *testing.B) {
	v := make([]float32, 384)
	for i := range v {
		v[i] = float32(i%7) - 3
	}
	for b.Loop() {
		if err := CheckVector("", v, 384); err != nil {
			b.Fatal(err)
		}
	}
}
