package framed_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/internal/framed"
)

type about struct {
	Name string `json:"name"`
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	var file bytes.Buffer
	n, err := framed.Write(&file, about{"pears"}, []float32{1.5, -2}, []uint16{7})
	if err != nil || n != int64(file.Len()) || n != 4+int64(len(`{"name":"pears"}`))+10 {
		t.Fatalf("%d bytes, %d of them there, %v", n, file.Len(), err)
	}
	var h about
	rest, err := framed.Header(file.Bytes(), &h)
	if err != nil || h.Name != "pears" || len(rest) != 10 {
		t.Fatalf("%+v and %d bytes, %v", h, len(rest), err)
	}
	floats, whole := make([]float32, 2), make([]uint16, 1)
	if err := framed.Parts(rest, floats, whole); err != nil || !slices.Equal(floats, []float32{1.5, -2}) || whole[0] != 7 {
		t.Errorf("%v, %v, %v", floats, whole, err)
	}
	if err := framed.Parts(rest[:9], floats, whole); err == nil {
		t.Error("a part that is cut short is read")
	}
	for n := range file.Len() - len(rest) {
		if _, err := framed.Header(file.Bytes()[:n], &h); err == nil {
			t.Errorf("a header is read of %d bytes", n)
		}
	}
}
