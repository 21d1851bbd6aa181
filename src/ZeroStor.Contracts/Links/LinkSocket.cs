using System.Net.Sockets;

namespace ZeroStor.Contracts.Links;

/// <summary>How the sockets of both ends are set.</summary>
internal static class LinkSocket
{
    /// <summary>Silence after which the peer's machine is asked whether it is there; what Orleans has it
    /// at.</summary>
    private const int KeepAliveSeconds = 90;

    private const int KeepAliveIntervalSeconds = 30;

    private const int KeepAliveTries = 10;

    public static Socket Make(AddressFamily family)
    {
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        Set(socket);
        return socket;
    }

    /// <summary>Small messages leave at once, and closing waits for nobody.</summary>
    public static void Set(Socket socket)
    {
        socket.NoDelay = true;
        socket.LingerState = new LingerOption(true, 0);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(
            SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        socket.SetSocketOption(
            SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveTries);
    }
}
