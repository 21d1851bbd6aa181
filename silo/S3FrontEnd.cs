using System.Net;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.S3;

namespace ZeroStor.Silo;

/// <summary>S3 beside a silo. Apart from the rest, so that a silo that does not answer it loads nothing of
/// it.</summary>
internal static class S3FrontEnd
{
    /// <summary>Clients of S3 wait for a minute and come again when they are told to: what is busy for longer
    /// than this is told to them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Adds it behind the silo: it starts when that serves, and stops before it.</summary>
    public static void Add(IServiceCollection services, SiloSettings settings, IPEndPoint at)
    {
        services.AddZeroStorClient(client => (client.NearSilo, client.Patience) = (settings.Name, Patience));
        services.AddZeroStorS3(options =>
        {
            options.Endpoint = at;
            options.Http2Endpoint = settings.S3Http2Endpoint;
            options.Domains = [.. settings.S3Domains];
        });
    }
}
