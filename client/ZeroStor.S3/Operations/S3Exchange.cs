using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ZeroStor.Client;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3.Operations;

/// <summary>A request that was read and may be answered, and its answer.</summary>
internal sealed class S3Exchange(
    HttpContext http, S3Request request, Caller caller, ZeroStorClient client, TimeProvider time)
{
    public S3Request Request => request;

    public WireRequest Wire => request.Wire;

    public Caller Caller => caller;

    public string Bucket => request.Bucket;

    public string Key => request.Key;

    public HttpResponse Response => http.Response;

    /// <summary>The vault that is the bucket.</summary>
    public Vault Vault => client.Vault(request.Bucket);

    /// <summary>The client has gone, and what is done for it may end.</summary>
    public CancellationToken Cancel => http.RequestAborted;

    /// <summary>The version that the request names; null: the current one.</summary>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public VersionId? Version => VersionNames.Parse(request.VersionId);

    /// <summary>The body, as it comes.</summary>
    /// <exception cref="S3Exception">As <see cref="BodyStream.Open"/>.</exception>
    public BodyStream OpenBody(long maxBytes, bool needsMd5 = false)
    {
        var source = new PatientReader(http.Request.BodyReader, time);
        http.Response.RegisterForDispose(source);
        return BodyStream.Open(request.Wire, caller, source, maxBytes, needsMd5);
    }

    /// <summary>All of a small body; empty where there can be none.</summary>
    /// <exception cref="S3Exception">As <see cref="BodyStream.Open"/>, and what a body can fail
    /// by.</exception>
    public async Task<byte[]> ReadBodyAsync(int maxBytes)
    {
        if (http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return [];
        }

        await using BodyStream body = OpenBody(maxBytes);
        return await body.ReadAllAsync(Cancel);
    }

    /// <summary>Answers without a body.</summary>
    public void AnswerEmpty(int status = StatusCodes.Status200OK)
    {
        http.Response.StatusCode = status;
        if (status != StatusCodes.Status204NoContent)
        {
            http.Response.ContentLength = 0;
        }
    }

    /// <summary>Answers with a document.</summary>
    public async Task AnswerAsync(Action<IBufferWriter<byte>> write, string type = "application/xml")
    {
        // A thousand entries are a megabyte at most, and whoever reads them wants to know how long they are.
        var document = new ArrayBufferWriter<byte>();
        write(document);
        http.Response.ContentType = type;
        http.Response.ContentLength = document.WrittenCount;
        await http.Response.Body.WriteAsync(document.WrittenMemory, Cancel);
    }
}
