#include "analysis/chart_embedded.h"

#include "core/embedded.h"

namespace brokerlab::embedded {

BROKERLAB_EMBEDDED(echarts_js, echarts_min_js)
BROKERLAB_EMBEDDED(chart_prepare_js, chart_prepare_js)
BROKERLAB_EMBEDDED(chart_host_js, chart_host_js)
BROKERLAB_EMBEDDED(report_css, report_css)
BROKERLAB_EMBEDDED(report_js, report_js)

}  // namespace brokerlab::embedded
