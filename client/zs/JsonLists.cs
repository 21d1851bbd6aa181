using System.Text.Json;

namespace ZeroStor.CommandLine;

/// <summary>Lists in the JSON of verbs.</summary>
internal static class JsonLists
{
    /// <summary>An array of objects, each with the members that <paramref name="write"/> gives it.</summary>
    public static void WriteObjects<T>(
        this Utf8JsonWriter w, string name, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        w.WriteStartArray(name);
        foreach (T item in items)
        {
            w.WriteStartObject();
            write(w, item);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }
}
