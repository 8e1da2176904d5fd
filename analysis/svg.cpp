#include "analysis/svg.h"

#include <duktape.h>

#include <cstdlib>

#include "analysis/chart_embedded.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// Duktape ends the process when an error is thrown outside of a protected call; every call below is
// protected, so this is reached only when memory is exhausted before the first one.
void on_fatal(void*, const char*) { std::abort(); }

Error drawing_error(duk_context* context, const std::string& where) {
  std::string message = duk_safe_to_stacktrace(context, -1);
  duk_pop(context);
  return {"a chart could not be drawn: " + message, where,
          "this is a fault of brokerlab: please report it together with the result"};
}

}  // namespace

struct SvgRenderer::Heap {
  duk_context* context = duk_create_heap(nullptr, nullptr, nullptr, nullptr, on_fatal);

  Heap() {
    if (context == nullptr) throw Error("no memory to draw charts", "", "free some memory");
  }
  ~Heap() { duk_destroy_heap(context); }
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  void load(std::string_view script, const std::string& name) {
    if (duk_peval_lstring_noresult(context, script.data(), script.size()) != 0) {
      duk_push_string(context, "the embedded script does not run");
      throw drawing_error(context, name);
    }
  }
};

SvgRenderer::SvgRenderer() : heap_(std::make_unique<Heap>()) {
  heap_->load(embedded::chart_host_js(), "chart_host.js");
  heap_->load(embedded::echarts_js(), "echarts.min.js");
  heap_->load(embedded::chart_prepare_js(), "chart_prepare.js");
}

SvgRenderer::~SvgRenderer() = default;

std::string SvgRenderer::render(const ChartDrawing& drawing, Palette palette) {
  duk_context* context = heap_->context;
  const std::string option = drawing.option.dump(-1, ' ', false, Json::error_handler_t::replace);
  duk_get_global_string(context, "brokerlabRender");
  duk_push_lstring(context, option.data(), option.size());
  duk_push_int(context, drawing.width);
  duk_push_int(context, drawing.height);
  duk_push_string(context, palette == Palette::kDark ? "dark" : "light");
  if (duk_pcall(context, 4) != DUK_EXEC_SUCCESS) throw drawing_error(context, "ECharts");
  duk_size_t length = 0;
  const char* text = duk_get_lstring(context, -1, &length);
  std::string svg(text, length);
  duk_pop(context);
  // Charts leave cycles behind that only the collector finds.
  duk_gc(context, 0);
  return svg;
}

}  // namespace brokerlab
