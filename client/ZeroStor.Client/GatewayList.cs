using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Orleans.Messaging;

namespace ZeroStor.Client;

/// <summary>The gateways that were configured, without those to be passed over, as long as there are others.
/// Orleans' own static list takes addresses only and keeps what it was given; this one looks names up anew from
/// time to time, so a silo that came back elsewhere is found. Thread-safe.</summary>
internal sealed class GatewayList(IEnumerable<string> gateways, TimeProvider time) : IGatewayListProvider
{
    /// <summary>How soon a gateway that died is tried again, and names are looked up anew: about what silos need
    /// to find that one is dead.</summary>
    private static readonly TimeSpan LookUpPeriod = TimeSpan.FromSeconds(3);

    private readonly GatewayAddress[] _gateways = [.. gateways.Select(GatewayAddress.Parse)];
    private readonly ConcurrentDictionary<IPEndPoint, (long Since, TimeSpan For)> _passedOver = new();
    private volatile IReadOnlyList<IPEndPoint> _found = [];
    private long? _lookedUpAt;

    public TimeSpan MaxStaleness => LookUpPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    /// <summary>All of them, as they were looked up last.</summary>
    public IReadOnlyList<IPEndPoint> All => _found;

    /// <summary>Leaves a gateway out for so long.</summary>
    public void PassOver(IPEndPoint gateway, TimeSpan passOver) =>
        _passedOver[gateway] = (time.GetTimestamp(), passOver);

    public async Task<IList<Uri>> GetGateways()
    {
        if (_lookedUpAt is not { } at || time.GetElapsedTime(at) >= LookUpPeriod)
        {
            _found = await LookUpAsync();
            _lookedUpAt = time.GetTimestamp();
        }

        IPEndPoint[] fit = [.. _found.Where(g => !IsPassedOver(g))];
        return [.. (fit.Length > 0 ? fit : _found).Select(g => g.ToGatewayUri())];
    }

    private async Task<IReadOnlyList<IPEndPoint>> LookUpAsync()
    {
        var found = new List<IPEndPoint>();
        foreach (GatewayAddress gateway in _gateways)
        {
            try
            {
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(gateway.Host);
                found.AddRange(addresses.Select(a => new IPEndPoint(a, gateway.Port)));
            }
            catch (SocketException)
            {
                // A name that nobody knows now may be known at the next refresh; the others serve until then.
            }
        }

        return found;
    }

    private bool IsPassedOver(IPEndPoint gateway) =>
        _passedOver.TryGetValue(gateway, out (long Since, TimeSpan For) passed)
        && time.GetElapsedTime(passed.Since) < passed.For;
}
