using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace ZeroStor.Contracts.Links;

/// <summary>Puts links under an Orleans silo or client in place of its own connections. The bytes on the wire
/// stay the same, so either end may do without.</summary>
public static class LinkServices
{
    /// <summary>Takes the place of whatever makes connections by now: call it after Orleans was
    /// added.</summary>
    /// <exception cref="InvalidOperationException">Orleans was not added before.</exception>
    public static IServiceCollection UseLinks(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        int listeners = Replace<IConnectionListenerFactory>(services, new LinkListenerFactory());
        int connectors = Replace<IConnectionFactory>(services, new LinkConnector());
        return listeners + connectors > 0
            ? services
            : throw new InvalidOperationException("Add an Orleans silo or client before its links.");
    }

    // Orleans knows its factories by keys that it tells nobody, so they are taken from what stands there.
    private static int Replace<TFactory>(IServiceCollection services, TFactory by)
        where TFactory : class
    {
        int replaced = 0;
        for (int i = 0; i < services.Count; i++)
        {
            if (services[i] is { IsKeyedService: true } told && told.ServiceType == typeof(TFactory))
            {
                services[i] = new ServiceDescriptor(typeof(TFactory), told.ServiceKey, by);
                replaced++;
            }
        }

        return replaced;
    }
}
