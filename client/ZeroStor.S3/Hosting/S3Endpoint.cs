using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ZeroStor.Client;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Operations;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Signing;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Hosting;

/// <summary>Answers requests of S3, whichever server they came through: who asks, for what, whether he may,
/// and only then the fabric. Every answer has a name by which the log knows it; every failure is one of S3's.
/// Thread-safe. </summary>
public sealed class S3Endpoint
{
    private const string RequestIdHeader = "x-amz-request-id";

    private const string HostIdHeader = "x-amz-id-2";

    private const string ServerName = "ZeroStor";

    private readonly ZeroStorClient _client;
    private readonly S3Options _options;
    private readonly TimeProvider _time;
    private readonly IEntropy _entropy;
    private readonly ILogger<S3Endpoint> _log;
    private readonly SignatureVerifier _verifier;
    private readonly Gate _gate;
    private readonly Cors _cors;
    private readonly Router _router;

    public S3Endpoint(
        ZeroStorClient client,
        IAccessKeys keys,
        S3Options options,
        TimeProvider time,
        IEntropy entropy,
        ILogger<S3Endpoint> log)
    {
        (_client, _options, _time, _entropy, _log) = (client, options, time, entropy, log);
        var store = new BucketSettingsStore(client, time);
        _verifier = new SignatureVerifier(keys, time);
        _gate = new Gate(store);
        _cors = new Cors(store);
        _router = new Router(client, store, options);
    }

    /// <summary>Answers a request. It throws nothing; where an answer that has begun cannot be ended, the
    /// connection is.</summary>
    public async Task AnswerAsync(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        string requestId = RequestId.New(_entropy);
        WriteNames(http.Response, requestId);
        S3Request? request = null;
        try
        {
            var wire = WireRequest.Of(http.Request);
            Caller caller = await _verifier.VerifyAsync(wire, http.RequestAborted);
            request = S3Request.Parse(wire, _options.Domains);
            await _gate.DemandAsync(request, caller, http.RequestAborted);
            if (request.Operation == S3Operation.CorsPreflight)
            {
                await _cors.AnswerPreflightAsync(http, request);
                return;
            }

            await _cors.MarkAsync(http, request);
            await _router.AnswerAsync(new S3Exchange(http, request, caller, _client, _time));
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            await AnswerFailureAsync(http, request, failure, requestId);
        }
    }

    private static void WriteNames(HttpResponse response, string requestId)
    {
        response.Headers.Server = ServerName;
        response.Headers[RequestIdHeader] = requestId;
        response.Headers[HostIdHeader] = ServerName;
    }

    private async Task AnswerFailureAsync(
        HttpContext http, S3Request? request, Exception failure, string requestId)
    {
        S3Exception told = await TranslateAsync(request, failure, http.RequestAborted);
        if (told.Error.Status >= StatusCodes.Status500InternalServerError)
        {
            Tell(request, failure, told, requestId);
        }

        if (http.Response.HasStarted)
        {
            // What the client has is not all, and only so it notices.
            http.Abort();
            return;
        }

        try
        {
            await WriteFailureAsync(http, request, told, requestId);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client has gone meanwhile.
        }
    }

    private async Task WriteFailureAsync(
        HttpContext http, S3Request? request, S3Exception told, string requestId)
    {
        // What was to be told of an object must not be told of an error: caches would believe it.
        http.Response.Clear();
        WriteNames(http.Response, requestId);
        http.Response.StatusCode = told.Error.Status;
        if (told.Error.Status == StatusCodes.Status503ServiceUnavailable)
        {
            http.Response.Headers.RetryAfter = "1";
        }

        if (request is not null && told.Error != S3Error.AccessDenied)
        {
            await _cors.MarkAsync(http, request);
        }

        if (HttpMethods.IsHead(http.Request.Method))
        {
            return;
        }

        var document = new ArrayBufferWriter<byte>();
        ErrorAnswer.Write(document, told, request?.Wire.RawPath ?? http.Request.Path, requestId);
        http.Response.ContentType = "application/xml";
        http.Response.ContentLength = document.WrittenCount;
        await http.Response.Body.WriteAsync(document.WrittenMemory, http.RequestAborted);
    }

    private async Task<S3Exception> TranslateAsync(
        S3Request? request, Exception failure, CancellationToken cancel)
    {
        switch (failure)
        {
            case S3Exception own:
                return own;
            case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                return new S3Exception(S3Error.RequestTimeout, null, failure);
            case BadHttpRequestException:
                return new S3Exception(S3Error.InvalidRequest, null, failure);
            case ConnectionAbortedException or ConnectionResetException:
                return new S3Exception(S3Error.RequestTimeout, null, failure);
            case ZeroStorException fabric:
                try
                {
                    return FabricErrors.Of(fabric, await SubjectOfAsync(request, fabric, cancel));
                }
                catch (ZeroStorException another)
                {
                    return FabricErrors.Of(another, S3Subject.Bucket);
                }

            default:
                return new S3Exception(S3Error.InternalError, null, failure);
        }
    }

    // The fabric says that something is not there; S3 says what.
    private async Task<S3Subject> SubjectOfAsync(
        S3Request? request, ZeroStorException failure, CancellationToken cancel)
    {
        if (request?.Address.Key is null)
        {
            return S3Subject.Bucket;
        }

        S3Subject subject = request.UploadId is not null
            ? S3Subject.Upload
            : request.VersionId is not null ? S3Subject.Version : S3Subject.Key;
        return failure.Kind == ErrorKind.NotFound
            ? await Missing.SubjectAsync(_client.Vault(request.Bucket), subject, cancel)
            : subject;
    }

    private void Tell(S3Request? request, Exception failure, S3Exception told, string requestId)
    {
        string what = request is null ? "a request" : request.Operation.ToString();
        string where = request?.Wire.RawPath ?? "";
        if (told.Error == S3Error.InternalError && failure is not ZeroStorException)
        {
            _log.RequestBroke(failure, requestId, what, where);
        }
        else if (told.Error != S3Error.NotImplemented)
        {
            _log.RequestFailed(requestId, what, where, told.Error.Code, failure.Message);
        }
    }
}
