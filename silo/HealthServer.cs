using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using ZeroStor.Grains;

namespace ZeroStor.Silo;

/// <summary>Tells who watches over the process how it is, over HTTP: <c>GET /live</c> (200, or 503: kill it) and
/// <c>GET /ready</c> (200, or 503: send nobody there), each with its reasons in JSON. It listens before the silo
/// starts and until it has ended. Only started where it is asked for.</summary>
internal sealed class HealthServer : IAsyncDisposable
{
    /// <summary>Probes are few and short; what is more than these is refused.</summary>
    private const int MaxConnections = 64;

    private const int MaxHeaderBytes = 8 * 1024;

    /// <summary>A probe's connection that says nothing for so long is closed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private volatile SiloHealth? _silo;
    private volatile string _phase = "the silo is starting";

    private HealthServer(IPEndPoint at)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(at);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.MaxRequestLineSize = MaxHeaderBytes;
            kestrel.Limits.RequestHeadersTimeout = Patience;
            kestrel.Limits.KeepAliveTimeout = Patience;
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public static async Task<HealthServer> StartAsync(IPEndPoint at, CancellationToken cancel)
    {
        var server = new HealthServer(at);
        try
        {
            await server._app.StartAsync(cancel);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The silo has started: from here on it is asked.</summary>
    public void Follow(SiloHealth silo) => _silo = silo;

    /// <summary>The silo stops: it is not asked any more.</summary>
    public void Leave()
    {
        _phase = "the silo is stopping";
        _silo = null;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        Action<Utf8JsonWriter>? body = null;
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            http.Response.Headers.Allow = "GET, HEAD";
        }
        else if (http.Request.Path == "/live")
        {
            (http.Response.StatusCode, body) = await LiveAsync(http.RequestAborted);
        }
        else if (http.Request.Path == "/ready")
        {
            (http.Response.StatusCode, body) = Ready();
        }

        if (body is not null)
        {
            await WriteAsync(http, body);
        }
    }

    // While the silo starts or stops an answer is all that can be told.
    private async Task<(int Code, Action<Utf8JsonWriter> Body)> LiveAsync(CancellationToken cancel)
    {
        bool isLive = _silo is not { } silo || await silo.TurnsAsync(cancel);
        return (CodeOf(isLive), w =>
        {
            w.WriteBoolean("live", isLive);
            WriteReasons(w, isLive ? [] : ["grains of the silo do not get their turn"]);
        });
    }

    private (int Code, Action<Utf8JsonWriter> Body) Ready()
    {
        if (_silo is not { } silo)
        {
            return (CodeOf(false), w =>
            {
                w.WriteBoolean("ready", false);
                WriteReasons(w, [_phase]);
            });
        }

        SiloReadiness ready = silo.Look();
        return (CodeOf(ready.IsReady), w =>
        {
            w.WriteBoolean("ready", ready.IsReady);
            WriteReasons(w, ready.Reasons);
            w.WriteString("membership", JsonNamingPolicy.CamelCase.ConvertName(ready.Membership));
            w.WriteStartObject("disks");
            w.WriteNumber("up", ready.DisksUp);
            w.WriteNumber("of", ready.Disks);
            w.WriteEndObject();
            w.WriteNumber("catalogSilenceSeconds", Math.Round(ready.CatalogSilence.TotalSeconds, 1));
        });
    }

    private static int CodeOf(bool isWell) =>
        isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;

    private static void WriteReasons(Utf8JsonWriter w, IEnumerable<string> reasons)
    {
        w.WriteStartArray("reasons");
        foreach (string reason in reasons)
        {
            w.WriteStringValue(reason);
        }

        w.WriteEndArray();
    }

    private static async Task WriteAsync(HttpContext http, Action<Utf8JsonWriter> write)
    {
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        using (var writer = new Utf8JsonWriter(http.Response.BodyWriter))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }
}
