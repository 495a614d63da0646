package openapi

import "penstock/internal/model"

// cors returns a CORS configuration. One that has none of the members is none.
// Names are matched exactly: allow_origins is something else.
func (x *importer) cors(v value) *model.Cors {
	if !v.present() {
		return nil
	}
	if v.kind != object {
		x.warn(v.at, "must be an object, ignored")
		return nil
	}
	c := &model.Cors{
		AllowCredentials: x.boolean(v.member("allowCredentials")),
		AllowHeaders:     x.strings(v.member("allowHeaders")),
		AllowMethods:     x.strings(v.member("allowMethods")),
		AllowOrigins:     x.strings(v.member("allowOrigins")),
		ExposeHeaders:    x.strings(v.member("exposeHeaders")),
		MaxAge:           x.integer(v.member("maxAge")),
	}
	x.unknown(v, "allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge")
	if c.AllowCredentials == nil && c.AllowHeaders == nil && c.AllowMethods == nil && c.AllowOrigins == nil && c.ExposeHeaders == nil && c.MaxAge == nil {
		return nil
	}
	return c
}
