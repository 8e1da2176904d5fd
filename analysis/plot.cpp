#include "analysis/plot.h"

#include <cairo.h>
#include <librsvg/rsvg.h>

#include <cmath>
#include <memory>

#include "analysis/chart_file.h"
#include "analysis/chart_source.h"
#include "analysis/chart_style.h"
#include "analysis/svg.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr double kPngScale = 2;

struct Free {
  void operator()(GError* error) const { g_error_free(error); }
  void operator()(RsvgHandle* handle) const { g_object_unref(handle); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

cairo_status_t append(void* closure, const unsigned char* bytes, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(bytes), length);
  return CAIRO_STATUS_SUCCESS;
}

[[noreturn]] void fail(const std::string& why) {
  throw Error("the chart could not be turned into a PNG: " + why, "librsvg", "write it as .svg instead");
}

Owned<RsvgHandle> parsed(std::string_view svg) {
  GError* error = nullptr;
  Owned<RsvgHandle> handle(
      rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error));
  const Owned<GError> owned(error);
  if (handle == nullptr) fail(error != nullptr ? error->message : "unknown reason");
  return handle;
}

}  // namespace

std::string png_from_svg(std::string_view svg, double scale) {
  const Owned<RsvgHandle> handle = parsed(svg);
  double width = 0;
  double height = 0;
  if (!rsvg_handle_get_intrinsic_size_in_pixels(handle.get(), &width, &height))
    fail("the drawing has no size");
  const Owned<cairo_surface_t> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::lround(width * scale)),
                                 static_cast<int>(std::lround(height * scale))));
  const Owned<cairo_t> cairo(cairo_create(surface.get()));
  cairo_scale(cairo.get(), scale, scale);
  const RsvgRectangle viewport{0, 0, width, height};
  GError* error = nullptr;
  const bool drawn = rsvg_handle_render_document(handle.get(), cairo.get(), &viewport, &error);
  const Owned<GError> owned(error);
  if (!drawn) fail(error != nullptr ? error->message : "unknown reason");
  std::string png;
  const cairo_status_t status = cairo_surface_write_to_png_stream(surface.get(), append, &png);
  if (status != CAIRO_STATUS_SUCCESS) fail(cairo_status_to_string(status));
  return png;
}

void write_plot(const std::vector<Json>& results, std::string_view chart_name,
                const std::filesystem::path& output) {
  const std::string extension = output.extension().string();
  if (extension != ".svg" && extension != ".png") {
    throw Error("a plot cannot be written as \"" + extension + "\"", output.string(),
                "let the name of the file end in .svg or .png", ExitStatus::kUsage);
  }
  const Chart& chart = chart_named(chart_name);
  const ChartSource source(results);
  if (!chart.applies(source)) {
    throw Error("these results have nothing to show in the chart \"" + std::string(chart_name) + "\"",
                output.string(), "choose another chart; `brokerlab plot --help` lists them");
  }
  const ChartDrawing drawing = chart::titled(chart.draw(source), chart.title, source.caption());
  const std::string svg = SvgRenderer().render(drawing);
  write_text_file(output, extension == ".svg" ? svg : png_from_svg(svg, kPngScale));
}

}  // namespace brokerlab
