using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.S3.Hosting;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3;

/// <summary>Adds the S3 front end to a host.</summary>
public static class S3Hosting
{
    /// <summary>Adds a server of its own that answers S3 at <see cref="S3Options.Endpoint"/> while the host
    /// runs, and <see cref="S3Endpoint"/> for a server that the host has already. The host's
    /// <see cref="ZeroStorClient"/> is used: add it, with gateways where there is no silo in the process
    /// (<c>AddZeroStorClient</c>).</summary>
    public static IServiceCollection AddZeroStorS3(
        this IServiceCollection services, Action<S3Options>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new S3Options();
        configure?.Invoke(options);
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IEntropy>(SystemEntropy.Instance);
        services.TryAddSingleton<IAccessKeys, FabricAccessKeys>();
        services.TryAddSingleton<S3Endpoint>();
        services.AddSingleton<S3Server>();
        services.AddHostedService(s => s.GetRequiredService<S3Server>());
        return services;
    }
}
