using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ZeroStor.S3;

/// <summary>A request as it came over the wire. ASP.NET's own path is decoded, and dots in it are resolved:
/// neither signatures nor keys survive that, so both are read from here.</summary>
/// <param name="Method">In capitals.</param>
/// <param name="RawPath">Still encoded, beginning with <c>/</c>.</param>
/// <param name="RawQuery">Still encoded, without the <c>?</c>; may be empty.</param>
/// <param name="Headers">All headers, the host among them.</param>
public sealed record WireRequest(string Method, string RawPath, string RawQuery, IHeaderDictionary Headers)
{
    public static WireRequest Of(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string target = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        return Of(request.Method, target, request.Headers);
    }

    /// <param name="method">In capitals.</param>
    /// <param name="target">The target of the request's first line: a path with a query, or a whole address
    /// as proxies are sent it.</param>
    /// <param name="headers">All headers.</param>
    public static WireRequest Of(string method, string target, IHeaderDictionary headers)
    {
        ArgumentNullException.ThrowIfNull(target);
        int question = target.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? target : target[..question];
        if (!path.StartsWith('/'))
        {
            int authority = path.IndexOf("://", StringComparison.Ordinal);
            int slash = authority < 0 ? -1 : path.IndexOf('/', authority + 3);
            path = slash < 0 ? "/" : path[slash..];
        }

        return new WireRequest(method, path, question < 0 ? "" : target[(question + 1)..], headers);
    }

    /// <summary>The values of a header, joined as HTTP joins them; null where there is none.</summary>
    public string? Header(string name) => Headers.TryGetValue(name, out var values) && values.Count > 0
        ? string.Join(",", values.ToArray())
        : null;
}
