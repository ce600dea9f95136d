#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/curl_failure.h"
#include "bootstrap/archive/transport.h"
#include "os/interrupt.h"

namespace vprov::archive {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kLongestRedirectChain = 10;
constexpr long kReceiveBuffer = 256 << 10;
constexpr std::uint64_t kLargestErrorPage = 64 << 10;  // read, so that its connection can be used again

struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

struct UrlDeleter {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(const std::string& text, CURLUPart part) {
    const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
    char* value = nullptr;
    if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK ||
        curl_url_get(url.get(), part, &value, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return {};
    std::string result = value;
    curl_free(value);
    return result;
}

template <class Value>
Value info(CURL* easy, CURLINFO what) {
    Value value{};
    curl_easy_getinfo(easy, what, &value);
    return value;
}

bool is_http(CURL* easy) {
    const char* scheme = info<const char*>(easy, CURLINFO_SCHEME);
    return scheme && (scheme[0] == 'H' || scheme[0] == 'h');
}

// One transfer through all its attempts.
struct Job {
    Transfer* transfer = nullptr;
    std::string authority;  // "host:port": what the limit per host counts
    int attempts = 0;
    Clock::time_point due;  // not started again before
    Easy easy;              // while an attempt runs
    std::array<char, CURL_ERROR_SIZE> detail{};
    std::string location;
    Bytes received, error_page;  // received: over all attempts that were continued
    bool continues = false;      // this attempt asks for what comes after `received`
    Validator validator;         // of this attempt's answer
    HeaderList headers;
    std::string refusal;  // why on_data ended the attempt
    std::exception_ptr thrown;
};

void forget_received(Job& job) {
    job.received = Bytes{};
    job.continues = false;
    if (job.transfer->on_restart)
        job.transfer->on_restart();
}

std::size_t accept_body(Job& job, std::string_view portion) {
    const auto status = is_http(job.easy.get()) ? info<long>(job.easy.get(), CURLINFO_RESPONSE_CODE) : 0;
    if (status >= 300) {
        job.error_page += Bytes{portion.size()};
        return job.error_page.value <= kLargestErrorPage ? portion.size() : 0;
    }
    if (job.continues && status == 200)  // 206 has the rest; a server that knows no ranges sends all
        forget_received(job);
    job.received += Bytes{portion.size()};
    if (job.received > job.transfer->limit) {
        job.refusal = fmt::format("larger than the {} bytes it should have", job.transfer->limit.value);
        return 0;
    }
    if (!job.transfer->on_data(portion)) {
        job.refusal = "refused by the receiver";
        return 0;
    }
    return portion.size();
}

extern "C" std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& job = *static_cast<Job*>(user);
    try {
        return accept_body(job, {data, size});
    } catch (...) {  // must not pass through libcurl's frames
        job.thrown = std::current_exception();
        return 0;
    }
}

void read_header(std::string_view line, std::string_view name, std::string& value) {
    if (line.size() >= name.size() && curl_strnequal(line.data(), name.data(), name.size()))
        value = trimmed(line.substr(name.size()));
}

extern "C" std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
    const std::string_view line(data, size);
    auto& job = *static_cast<Job*>(user);
    if (line.starts_with("HTTP/"))  // of a redirection before
        job.validator = {};
    read_header(line, "location:", job.location);
    read_header(line, "etag:", job.validator.etag);
    read_header(line, "last-modified:", job.validator.last_modified);
    return size;
}

void add_header(HeaderList& headers, const std::string& line) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    if (!longer)
        throw error(ErrorKind::internal, "internal error: no memory for a header");
    static_cast<void>(headers.release());
    headers.reset(longer);
}

// What an attempt asks for beyond the URL: the rest of a file, or the file only if it has changed.
void set_conditions(Job& job) {
    CURL* easy = job.easy.get();
    const auto& transfer = *job.transfer;
    const bool http = curl_strnequal(transfer.url.c_str(), "http", 4) != 0;
    job.headers.reset();
    if (transfer.source == Transfer::Source::origin) {
        add_header(job.headers, "Cache-Control: no-cache");
        add_header(job.headers, "Pragma: no-cache");
    }
    job.continues = job.received.value > 0;
    if (job.continues && http) {
        curl_easy_setopt(easy, CURLOPT_RANGE, fmt::format("{}-", job.received.value).c_str());
        const bool strong = !job.validator.etag.empty() && !job.validator.etag.starts_with("W/");
        if (const auto& same = strong ? job.validator.etag : job.validator.last_modified; !same.empty())
            add_header(job.headers, "If-Range: " + same);
    } else if (job.continues) {
        curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(job.received.value));
    }
    if (http && !transfer.known.etag.empty())
        add_header(job.headers, "If-None-Match: " + transfer.known.etag);
    else if (http && !transfer.known.last_modified.empty())
        add_header(job.headers, "If-Modified-Since: " + transfer.known.last_modified);
    if (job.headers)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, job.headers.get());
}

const char* environment(const char* name) {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

void set_authorities(CURL* easy, const CurlOptions& options) {
    const char* bundle =
        options.ca_certificates.empty() ? environment("CURL_CA_BUNDLE") : options.ca_certificates.c_str();
    const char* folder = nullptr;
    if (!bundle) {
        bundle = environment("SSL_CERT_FILE");
        folder = environment("SSL_CERT_DIR");
    }
    if (bundle)
        curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
    if (folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
}

void set_identity(CURL* easy, const CurlOptions& options) {
    if (!options.certificate.empty())
        curl_easy_setopt(easy, CURLOPT_SSLCERT, options.certificate.c_str());
    if (!options.private_key.empty())
        curl_easy_setopt(easy, CURLOPT_SSLKEY, options.private_key.c_str());
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.check_certificate ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.check_certificate ? 2L : 0L);
    set_authorities(easy, options);
}

void set_up(Job& job, const CurlOptions& options) {
    CURL* easy = job.easy.get();
    const bool secure = curl_strnequal(job.transfer->url.c_str(), "https:", 6) != 0;
    curl_easy_setopt(easy, CURLOPT_URL, job.transfer->url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,ftp,file");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https,ftp");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kLongestRedirectChain);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "vprov/0.1");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, secure ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
    set_identity(easy, options);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job.detail.data());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, static_cast<void*>(&job));
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, static_cast<void*>(&job));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, static_cast<void*>(&job));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    set_conditions(job);
}

CurlFailure failure_of(const Job& job, CURLcode code) {
    if (!job.refusal.empty())
        return {job.refusal, false, false};
    CURL* easy = job.easy.get();
    const char* url = info<const char*>(easy, CURLINFO_EFFECTIVE_URL);
    const auto host = part_of(url ? url : job.transfer->url, CURLUPART_HOST);
    const auto status = info<long>(easy, CURLINFO_RESPONSE_CODE);
    const bool long_error_page = code == CURLE_WRITE_ERROR && job.error_page.value > 0;
    return describe({long_error_page ? CURLE_OK : code, status, is_http(easy), host, job.location, job.detail.data(),
                     static_cast<int>(info<long>(easy, CURLINFO_OS_ERRNO))});
}

// The file is not the one of before, or the server cannot begin in the middle: all of it has to come.
bool is_no_such_rest(long status, CURLcode code) {
    return status == 416 || code == CURLE_BAD_DOWNLOAD_RESUME || code == CURLE_FTP_COULDNT_USE_REST ||
           code == CURLE_RANGE_ERROR;
}

// One call of Transport::run(). The destructor takes every handle out of the multi handle.
class Run {
  public:
    Run(CURLM* multi, std::vector<Easy>& spare, const CurlOptions& options, std::span<Transfer> transfers)
        : multi_(multi), spare_(spare), options_(options) {
        for (auto& transfer : transfers) {
            auto& job = waiting_.emplace_back();
            job.transfer = &transfer;
            job.received = transfer.resume_at.value_or(Bytes{});
            job.authority = part_of(transfer.url, CURLUPART_HOST) + ":" + part_of(transfer.url, CURLUPART_PORT);
        }
    }
    ~Run() {
        for (auto& job : active_) curl_multi_remove_handle(multi_, job.easy.get());
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void to_the_end() {
        while (!waiting_.empty() || !active_.empty()) {
            os::check_stop();
            start_what_may();
            int running = 0;
            curl_multi_perform(multi_, &running);
            if (!collect_ended())
                wait();
        }
    }

  private:
    void start_what_may() {
        const auto now = Clock::now();
        for (auto next = waiting_.begin(); next != waiting_.end() && active_.size() < options_.parallel;) {
            const auto job = next++;
            if (job->due > now || at_host_[job->authority] >= options_.parallel_per_host)
                continue;
            active_.splice(active_.end(), waiting_, job);
            start(*job);
        }
    }

    void start(Job& job) {
        ++job.attempts;
        ++at_host_[job.authority];
        if (spare_.empty()) {
            job.easy.reset(curl_easy_init());
        } else {
            job.easy = std::move(spare_.back());
            spare_.pop_back();
        }
        set_up(job, options_);
        curl_multi_add_handle(multi_, job.easy.get());
    }

    bool collect_ended() {
        bool any = false;
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE)
                continue;
            any = true;
            const CURLcode code = message->data.result;  // the message is gone with the handle
            ended(*info<Job*>(message->easy_handle, CURLINFO_PRIVATE), code);
        }
        return any;
    }

    void ended(Job& job, CURLcode code) {
        const auto position = std::find_if(active_.begin(), active_.end(), [&](const Job& j) { return &j == &job; });
        if (job.thrown)
            std::rethrow_exception(job.thrown);
        auto failure = failure_of(job, code);
        const auto status = is_http(job.easy.get()) ? info<long>(job.easy.get(), CURLINFO_RESPONSE_CODE) : 0;
        const bool no_such_rest = job.continues && is_no_such_rest(status, code);
        const bool unchanged = status == 304 && !job.transfer->known.empty();
        if (unchanged)
            failure = {};
        else if (no_such_rest)
            failure.may_pass = true;
        const std::chrono::seconds asked(info<curl_off_t>(job.easy.get(), CURLINFO_RETRY_AFTER));
        release(job);
        if (failure.may_pass && asked > options_.longest_retry_after) {
            failure.may_pass = false;
            failure.text += fmt::format("; the server asks to try again in {} seconds", asked.count());
        }
        if (failure.may_pass && job.attempts < options_.attempts) {
            if (no_such_rest || !job.transfer->resume_at)
                forget_received(job);
            try_again(job, asked);
            waiting_.splice(waiting_.begin(), active_, position);
            return;
        }
        const Transfer* transfer = job.transfer;
        auto validator = std::move(job.validator);
        active_.erase(position);
        transfer->on_end({failure.text, failure.missing, failure.may_pass, unchanged, std::move(validator)});
    }

    void release(Job& job) {
        curl_multi_remove_handle(multi_, job.easy.get());
        curl_easy_reset(job.easy.get());
        spare_.push_back(std::move(job.easy));
        --at_host_[job.authority];
    }

    void try_again(Job& job, std::chrono::seconds asked) const {
        const auto backoff = options_.first_backoff * (1 << (job.attempts - 1));
        job.due = Clock::now() + std::max<std::chrono::milliseconds>(backoff, asked);
        job.error_page = Bytes{};
        job.detail[0] = '\0';
        job.location.clear();
    }

    void wait() {
        std::chrono::milliseconds longest(1000);
        for (const auto& job : waiting_)
            if (job.due > Clock::now())
                longest = std::min(longest, std::chrono::ceil<std::chrono::milliseconds>(job.due - Clock::now()));
        curl_waitfd stop{os::stop_fd(), CURL_WAIT_POLLIN, 0};
        curl_multi_poll(multi_, &stop, 1, static_cast<int>(std::max<std::int64_t>(longest.count(), 0)), nullptr);
    }

    CURLM* multi_;
    std::vector<Easy>& spare_;
    const CurlOptions& options_;
    std::list<Job> waiting_, active_;  // lists: a job's address is known to libcurl
    std::map<std::string, std::size_t> at_host_;
};

class CurlTransport final : public Transport {
  public:
    explicit CurlTransport(CurlOptions options) : options_(std::move(options)) {
        static std::once_flag once;
        std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
        multi_.reset(curl_multi_init());
        if (!multi_)
            throw error(ErrorKind::internal, "internal error: libcurl does not start");
        curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.parallel * 2));
    }

    void run(std::span<Transfer> transfers) override { Run(multi_.get(), spare_, options_, transfers).to_the_end(); }

  private:
    CurlOptions options_;
    Multi multi_;
    std::vector<Easy> spare_;  // after multi_: an easy handle is cleaned up before its multi handle
};

}  // namespace

std::unique_ptr<Transport> make_curl_transport(CurlOptions options) {
    return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace vprov::archive
