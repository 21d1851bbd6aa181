using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace ZeroStor.Contracts.Links;

/// <summary>Makes the listeners of a silo.</summary>
internal sealed class LinkListenerFactory : IConnectionListenerFactory
{
    public ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default) => new(new LinkListener(endpoint));
}

/// <summary>Takes in the links that others make to a silo.</summary>
internal sealed class LinkListener : IConnectionListener
{
    /// <summary>Who is let in late: all silos and clients of a fabric may come at once when a silo
    /// starts.</summary>
    private const int Backlog = 512;

    private readonly Socket _socket;

    /// <exception cref="AddressInUseException">Somebody listens there.</exception>
    public LinkListener(EndPoint endpoint)
    {
        _socket = LinkSocket.Make(endpoint.AddressFamily);
        try
        {
            if (endpoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } at)
            {
                // Every address of the machine is the old ones, too.
                _socket.DualMode = at.Address.Equals(IPAddress.IPv6Any);
            }

            _socket.Bind(endpoint);
            _socket.Listen(Backlog);
        }
        catch (Exception e)
        {
            _socket.Dispose();
            if (e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
            {
                throw new AddressInUseException(e.Message, e);
            }

            throw;
        }

        EndPoint = _socket.LocalEndPoint!;
    }

    public EndPoint EndPoint { get; }

    /// <summary>The next link; null when no more are taken in.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket? taken = null;
            try
            {
                taken = await _socket.AcceptAsync(cancellationToken);
                LinkSocket.Set(taken);
                return new Link(taken);
            }
            catch (Exception e) when (IsUnbound(e))
            {
                return null;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // Whoever came left before he was let in.
                taken?.Dispose();
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _socket.Dispose();
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private static bool IsUnbound(Exception e) =>
        e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted };
}
