package core

import "math"

// Point is a place on the earth, in degrees: Lat from -90 to 90, Lon from -180
// to 180.
type Point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// PointOf returns the point that a value of a field is: an object with the
// numbers "lat" and "lon" in their ranges.
func PointOf(v any) (Point, bool) {
	object, ok := v.(map[string]any)
	if !ok {
		return Point{}, false
	}
	lat, okLat := degrees(object["lat"], 90)
	lon, okLon := degrees(object["lon"], 180)
	return Point{Lat: lat, Lon: lon}, okLat && okLon
}

func degrees(v any, limit float64) (float64, bool) {
	var d float64
	switch v := v.(type) {
	case int64:
		d = float64(v)
	case float64:
		d = v
	default:
		return 0, false
	}
	return d, math.Abs(d) <= limit
}

// earthRadius is the mean radius of the earth in meters (IUGG).
const earthRadius = 6371008.8

// Meters returns the distance to q along the great circle, on a sphere
// (haversine formula; R. W. Sinnott, Virtues of the Haversine, 1984).
func (p Point) Meters(q Point) float64 {
	const rad = math.Pi / 180
	lat, lon := math.Sin((q.Lat-p.Lat)*rad/2), math.Sin((q.Lon-p.Lon)*rad/2)
	h := lat*lat + math.Cos(p.Lat*rad)*math.Cos(q.Lat*rad)*lon*lon
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// Area is a part of the earth.
type Area interface {
	// Contains tells whether p lies inside, the edge included.
	Contains(p Point) bool
	// Latitudes returns the range that all its points lie in.
	Latitudes() (south, north float64)
}

// Circle holds the points at most Radius meters away from Center.
type Circle struct {
	Center Point   `json:"center"`
	Radius float64 `json:"radius"`
}

// Contains implements Area.
func (c Circle) Contains(p Point) bool { return c.Center.Meters(p) <= c.Radius }

// Latitudes implements Area. It leaves a little room for rounding.
func (c Circle) Latitudes() (south, north float64) {
	angle := c.Radius/earthRadius*180/math.Pi + 1e-6
	return c.Center.Lat - angle, c.Center.Lat + angle
}

// Box holds the points between two parallels and two meridians. One whose left
// side lies east of its right side goes across the 180th meridian.
type Box struct {
	TopLeft     Point `json:"top_left"`
	BottomRight Point `json:"bottom_right"`
}

// Contains implements Area.
func (b Box) Contains(p Point) bool {
	west, east := p.Lon >= b.TopLeft.Lon, p.Lon <= b.BottomRight.Lon
	within := west && east
	if b.TopLeft.Lon > b.BottomRight.Lon {
		within = west || east
	}
	return within && p.Lat <= b.TopLeft.Lat && p.Lat >= b.BottomRight.Lat
}

// Latitudes implements Area.
func (b Box) Latitudes() (south, north float64) { return b.BottomRight.Lat, b.TopLeft.Lat }
