namespace ZeroStor.Tests;

/// <summary>The files of the checkout that these tests were built from.</summary>
internal static class Checkout
{
    /// <summary>The folder of ZeroStor.sln.</summary>
    public static string Root { get; } = Find();

    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ZeroStor.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No ZeroStor.sln above {AppContext.BaseDirectory}.");
    }
}
