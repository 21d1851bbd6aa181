using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ZeroStor.S3.Operations;

namespace ZeroStor.S3.Hosting;

/// <summary>The front end's own web server, beside whatever else its host serves. It starts and stops with
/// the host; requests under way may end while it stops.</summary>
internal sealed class S3Server : IHostedService, IAsyncDisposable
{
    /// <summary>Keys of 1,024 bytes, each encoded by three characters, and a presigned query.</summary>
    private const int MaxLineBytes = 16 * 1024;

    /// <summary>Two kilobytes of the user's own, tags, and what signatures and proxies add.</summary>
    private const int MaxHeaderBytes = 32 * 1024;

    /// <summary>A put of the largest object in the smallest signed chunks has a hundredth of
    /// framing.</summary>
    private const long MaxBodyBytes = ObjectWrites.MaxPutBytes + (ObjectWrites.MaxPutBytes / 64);

    /// <summary>Who sends or takes fewer bytes a second than this holds memory for nothing: a modem takes
    /// more.</summary>
    private const double MinBytesPerSecond = 1024;

    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HeadersPatience = TimeSpan.FromSeconds(15);

    /// <summary>Clients keep connections between the files of a sync.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromMinutes(2);

    private readonly WebApplication _app;

    public S3Server(S3Endpoint endpoint, S3Options options, ILoggerFactory logs)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Endpoint, listen => listen.Protocols = HttpProtocols.Http1);
            if (options.Http2Endpoint is { } http2)
            {
                kestrel.Listen(http2, listen => listen.Protocols = HttpProtocols.Http2);
            }

            kestrel.AddServerHeader = false;
            KestrelServerLimits limits = kestrel.Limits;
            limits.MaxConcurrentConnections = options.MaxConnections;
            limits.MaxRequestLineSize = MaxLineBytes;
            limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            limits.MaxRequestBodySize = MaxBodyBytes;
            limits.MinRequestBodyDataRate = new MinDataRate(MinBytesPerSecond, RateGrace);
            limits.MinResponseDataRate = new MinDataRate(MinBytesPerSecond, RateGrace);
            limits.RequestHeadersTimeout = HeadersPatience;
            limits.KeepAliveTimeout = KeepAlive;
        });
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new WireMemory.Factory());
        _app = builder.Build();
        _app.Run(endpoint.AnswerAsync);
    }

    /// <summary>Where it listens, once it has started; a port of 0 has become one that was free. HTTP/1.1
    /// comes first.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Urls];

    public Task StartAsync(CancellationToken cancellationToken) => _app.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
