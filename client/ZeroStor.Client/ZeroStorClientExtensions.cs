using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Messaging;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Links;

namespace ZeroStor.Client;

/// <summary>Adds the client to a host.</summary>
public static class ZeroStorClientExtensions
{
    // How soon Orleans hears of a gateway to be passed over; asking the list costs nothing.
    private static readonly TimeSpan GatewayRefreshPeriod = TimeSpan.FromSeconds(1);

    // Between two tries to connect at start.
    private static readonly TimeSpan ConnectRetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Adds <see cref="ZeroStorClient"/> as a singleton. With
    /// <see cref="ZeroStorClientOptions.Gateways"/> the host gets an Orleans client of its own, which
    /// connects when the host starts; without, the Orleans client or silo that the host has already is
    /// used.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not a gateway.</exception>
    public static IServiceCollection AddZeroStorClient(
        this IServiceCollection services, Action<ZeroStorClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new ZeroStorClientOptions();
        configure?.Invoke(options);
        GatewayList? gateways = null;
        if (options.Gateways.Count > 0)
        {
            gateways = new GatewayList(options.Gateways, TimeProvider.System);
            AddOrleansClient(services, options, gateways);
        }

        services.TryAddSingleton(provider => new ZeroStorClient(new Fabric(
            new OrleansDoors(provider.GetRequiredService<IGrainFactory>()),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetService<IEntropy>() ?? SystemEntropy.Instance,
            options,
            gateways)));
        return services;
    }

    /// <summary>As <see cref="AddZeroStorClient(IServiceCollection, Action{ZeroStorClientOptions}?)"/>.
    /// </summary>
    public static IHostApplicationBuilder AddZeroStorClient(
        this IHostApplicationBuilder builder, Action<ZeroStorClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddZeroStorClient(configure);
        return builder;
    }

    private static void AddOrleansClient(
        IServiceCollection services, ZeroStorClientOptions options, GatewayList gateways)
    {
        services.AddOrleansClient(client =>
        {
            client.Services.UseLinks();
            client.Services.AddSingleton<IGatewayListProvider>(gateways);
            client.Configure<ClusterOptions>(
                o => (o.ClusterId, o.ServiceId) = (options.ClusterId, options.ServiceId));
            client.Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = GatewayRefreshPeriod);
            // A gateway answers a client over its newest connection alone, and takes it for gone when that
            // one closes: more than one would bring nothing and lose answers.
            client.Configure<ConnectionOptions>(o => o.ConnectionsPerEndpoint = 1);
            long? startedAt = null;
            client.UseConnectionRetryFilter(async (_, cancel) =>
            {
                startedAt ??= TimeProvider.System.GetTimestamp();
                await Task.Delay(ConnectRetryDelay, cancel);
                return TimeProvider.System.GetElapsedTime(startedAt.Value) < options.ConnectPatience;
            });
        });
    }
}
